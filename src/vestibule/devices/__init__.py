"""Devices and enrollments: the phones that an account has linked."""
