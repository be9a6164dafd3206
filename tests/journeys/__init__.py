"""Journeys: what a person does, in real browsers, from the first page to the last.

A package, so that its fixtures end with it: Playwright keeps an event loop running, beside which
no asynchronous test can run.
"""
