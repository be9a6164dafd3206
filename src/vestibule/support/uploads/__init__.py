"""Files on their way in, for clients and for staff: what both faces do in the same way.

A face says who comes and where their files belong; nothing here asks which of the two it is.
"""
