"""Watched vehicles: lists and their versions, the matcher, hits and their checking by a named person.

The same matcher runs on the device and in the cloud.
"""
