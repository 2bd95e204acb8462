#!/bin/sh
# What has changed is trained again, on what is new, and its packages are made anew. As a cron line, on the first of each month at three:
#
#     0 3 1 * *  cd /srv/metrics && ./monthly.sh >>monthly.log 2>&1
#
# SINCE says from when on rows are new; packages go to the folder packages/.
set -eu
since=${SINCE:-$(date -u -d '1 month ago' +%F)}
new="at >= '$since'"

code=0
fitscale drift metrics.yaml --where "$new" || code=$?
case $code in
    0) exit 0 ;;        # nothing drifted
    5) ;;               # some did
    *) exit "$code" ;;  # it could not be found out
esac
fitscale train metrics.yaml --only drifted --where "$new" --fresh --no-report
rm -rf packages
fitscale models package metrics.yaml --by db --to packages
