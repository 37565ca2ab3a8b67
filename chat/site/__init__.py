"""The built web app, served by the node itself."""
