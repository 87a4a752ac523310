"""A headless Chromium at the front-end's origin signs up, signs in and completes a lesson against a running stack."""

from __future__ import annotations

import pytest

from tests.system.conftest import running_stack


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_main_job_in_a_browser(serve_pages, run_script, tmp_path):
    page = serve_pages({"/actioncable.js": "@rails/actioncable/app/assets/javascripts/actioncable.js"})
    with running_stack(tmp_path / "stack", "together", JIKI_CORS_ORIGINS=page, JIKI_FRONTEND_URL=page) as stack:
        told = run_script("main_job.mjs", f"{page}/", stack.origin, stack.cable_url, f"{page}/actioncable.js")
    assert "all steps passed" in told
