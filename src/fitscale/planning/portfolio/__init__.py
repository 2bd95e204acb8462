"""The plans of several jobs → one platform, the people for it, and why. `portfolio` is the way in."""
