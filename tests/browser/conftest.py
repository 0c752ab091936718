"""A Tuan that runs, and a browser that looks at it; without a browser on the machine nothing here is collected."""

from tests.browser.chromium import CHROMIUM

collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]
