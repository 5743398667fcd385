"""What a path is, by its name."""

import pytest

from shopfloor.repo.sources import is_ci, is_generated, is_lock, is_test, is_test_configuration, language_of

TABLE = {
    "test": (
        "test_app.py",
        "pkg/app_test.py",
        "tests/helpers.py",
        "tests/data/expected.json",
        "web/src/Button.test.tsx",
        "web/src/button.spec.js",
        "web/src/__tests__/button.js",
        "web/__snapshots__/button.snap",
        "pkg/server_test.go",
        "pkg/testdata/golden.txt",
        "src/test/java/org/AppTest.java",
        "AppTests.cs",
        "spec/models/user_spec.rb",
        "spec/support/factory.rb",
        "test/user_test.exs",
        "lib/widget_test.dart",
        "check_test.bats",
    ),
    "test configuration": (
        "pyproject.toml",
        "sub/conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        ".coveragerc",
        "sitecustomize.py",
        "usercustomize.py",
        "evil.pth",
        "jest.config.ts",
        "vitest.config.mts",
        "package.json",
        "Makefile",
        ".shopfloor/services.toml",
        "services.toml",
        "mypy.ini",
        "tsconfig.build.json",
        "eslint.config.mjs",
    ),
    "ci": (".github/workflows/ci.yml", ".gitlab-ci.yml", "Jenkinsfile", ".circleci/config.yml", ".ci/run"),
    "lock": ("package-lock.json", "sub/yarn.lock", "uv.lock", "Cargo.lock", "go.sum", "requirements.lock"),
    "generated": (
        "dist/app.js",
        "web/app.min.js",
        "api/thing_pb2.py",
        "web/node_modules/x/index.js",
        "pkg/__pycache__/x.pyc",
        "vendor/lib.go",
    ),
    "nothing of these": (
        "app.py",
        "src/contest.py",
        "src/latest.py",
        "attestation/verify.go",
        "docs/testing.md",
        "spec/openapi.yaml",
        "src/build/tool.py",
        "protest.js",
        "github/workflows.py",
        "src/locksmith.py",
        "Latest.java",
        "",
    ),
}


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in TABLE.items() for path in paths])
def test_a_path_is_told_by_its_name(kind: str, path: str) -> None:
    """Each path of the table is what its heading says."""
    said = {
        "test": is_test(path),
        "test configuration": is_test_configuration(path),
        "ci": is_ci(path),
        "lock": is_lock(path),
        "generated": is_generated(path),
    }
    if kind == "nothing of these":
        assert not any(said.values())
    else:
        assert said[kind]


def test_a_test_s_configuration_in_a_test_folder_is_both() -> None:
    """Kinds are questions, not drawers."""
    assert is_test("tests/conftest.py")
    assert is_test_configuration("tests/conftest.py")


def test_languages_are_told_by_the_ending() -> None:
    """As far as the name can tell."""
    paths = ("a/b.py", "A.TSX", "x.go", "Makefile", "x.unknown", "")

    assert [language_of(path) for path in paths] == ["python", "typescript", "go", "", "", ""]
