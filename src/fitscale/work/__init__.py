"""Inside one worker process: task → feed → fit → checkpoint → commit."""
