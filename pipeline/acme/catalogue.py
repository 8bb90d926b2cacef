"""Everything that Acme ships."""

from typing import Final

from pipeline.acme.images import pull_image
from pipeline.acme.installs import install_deb, install_npm, install_python, report_npm_install
from pipeline.acme.visits import Package
from pipeline.acme.website import download_binary, download_file, report_use, view_page

PACKAGES: Final = (
    Package(
        "acme/rocket",
        "docker",
        "cr.acme.example",
        0.20,
        {"person": 0.5, "ci": 0.34, "server": 0.15, "mirror": 0.01},
        pull_image,
    ),
    Package(
        "acme/rocket-agent",
        "docker",
        "cr.acme.example",
        0.12,
        {"server": 0.7, "ci": 0.12, "person": 0.18},
        pull_image,
    ),
    Package(
        "acme-rocket",
        "python",
        "python.acme.example",
        0.17,
        {"person": 0.55, "ci": 0.38, "server": 0.03, "mirror": 0.04},
        install_python,
    ),
    Package(
        "@acme/rocket",
        "npm",
        "npm.acme.example",
        0.10,
        {"person": 0.5, "ci": 0.45, "mirror": 0.05},
        install_npm,
    ),
    Package(
        "acme/rocket-cli",
        "file",
        "get.acme.example",
        0.14,
        {"person": 0.72, "ci": 0.25, "bot": 0.03},
        download_binary,
    ),
    Package(
        "acme/rocket-deb",
        "repository",
        "deb.acme.example",
        0.05,
        {"server": 0.5, "ci": 0.25, "person": 0.25},
        install_deb,
    ),
    Package(
        "acme/docs", "pixel", "pixel.acme.example", 0.14, {"person": 0.87, "bot": 0.13}, view_page
    ),
    Package(
        "acme/rocket-telemetry",
        "telemetry",
        "telemetry.acme.example",
        0.05,
        {"person": 0.85, "ci": 0.15},
        report_use,
    ),
    Package(
        "@acme/rocket-ui",
        "npm",
        "telemetry.acme.example",
        0.04,
        {"person": 0.55, "ci": 0.45},
        report_npm_install,
    ),
    Package(
        "get.acme.example",
        "catch-all",
        "get.acme.example",
        0.03,
        {"person": 0.5, "ci": 0.1, "bot": 0.4},
        download_file,
    ),
)
