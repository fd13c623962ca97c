#!/usr/bin/python3
"""./lab: build Turnpike and run its examples one after the other, each with a few words on what it shows."""
