"""The report opens in a browser: no network access, no console message, not too large, readable on a phone."""
import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = next((path for name in ["chromium", "chromium-browser", "google-chrome"] if (path := shutil.which(name))), None)
# Chromium calls these itself, whatever page it shows.
ITS_OWN = re.compile(r"^(https?|wss?)://([a-z0-9.-]+\.)?(google|googleapis|gvt1)\.com/")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=3000"]


def dump(page, folder, *flags):
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}/profile", "--enable-logging=stderr",
               f"--log-net-log={folder}/net.json", *flags, "--dump-dom", f"file://{page}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium")
def test_report_opens_offline_and_in_silence(demo, tmp_path):
    page = demo / "out/report.html"
    shown = dump(page, tmp_path)
    assert "<h1" in shown.stdout
    assert "CONSOLE" not in shown.stderr, shown.stderr
    asked = re.findall(r'"url":"((?:https?|wss?)://[^"]*)', (tmp_path / "net.json").read_text())
    assert [url for url in asked if not ITS_OWN.match(url)] == []
    assert page.stat().st_size < 1_000_000


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium")
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(demo, tmp_path, width):
    # The page itself forbids scripts: a copy without that policy carries the ruler.
    page = (demo / "out/report.html").read_text()
    page = re.sub(r"<meta http-equiv=\"?Content-Security-Policy[^>]*>", "", page, flags=re.I)
    ruler = "<script>document.title = document.documentElement.scrollWidth + '/' + window.innerWidth</script></body>"
    (tmp_path / "page.html").write_text(page.replace("</body>", ruler))
    shown = dump(tmp_path / "page.html", tmp_path, f"--window-size={width},900")
    found = re.search(r"<title>(\d+)/(\d+)</title>", shown.stdout)
    assert found and int(found[1]) <= int(found[2]), found


def test_charts_have_names_and_tables(demo):
    page = (demo / "out/report.html").read_text()
    charts = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", page, flags=re.S)
    assert len(charts) >= 8
    assert all("<title" in chart for chart in charts)
    assert page.count("<table") >= 8


def test_workbook_opens(demo):
    from openpyxl import load_workbook

    book = load_workbook(demo / "out/report.xlsx")
    assert len(book.sheetnames) >= 5
    formulas = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert formulas == []
    assert json.loads((demo / "out/manifest.json").read_text())["format_version"] == 1
