"""What a notebook shows: a plan and a run as HTML, and progress while a call works.

views     plan and run → HTML that needs nothing else and changes nothing else on the page
progress  a display that goes on in a notebook's cell, in an IPython terminal plain lines, elsewhere nothing
"""
