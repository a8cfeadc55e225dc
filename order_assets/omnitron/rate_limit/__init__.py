"""Limits the requests that all processes of a shop make: rate, requests in flight, slowing down, leaving alone."""
