"""The HTTP surface: one module per resource of the API under `/v1`, the control endpoints and pages under
`/_standin`.
"""
