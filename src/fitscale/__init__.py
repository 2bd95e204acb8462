"""fitscale: on what should this be trained?"""
