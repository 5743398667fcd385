"""What a path is, told by its name alone: a test, what configures tests, CI, a lock file, something generated.

Pure, and the same for every language by table. It does not know what is in the file.
"""

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

_LANGUAGES = {
    "python": (".py", ".pyi"),
    "javascript": (".js", ".jsx", ".mjs", ".cjs"),
    "typescript": (".ts", ".tsx", ".mts", ".cts"),
    "go": (".go",),
    "rust": (".rs",),
    "java": (".java",),
    "kotlin": (".kt", ".kts"),
    "ruby": (".rb",),
    "php": (".php",),
    "csharp": (".cs",),
    "swift": (".swift",),
    "elixir": (".ex", ".exs"),
    "dart": (".dart",),
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".cxx", ".hpp", ".hh"),
    "shell": (".sh", ".bash", ".bats"),
}
_LANGUAGE_OF = {suffix: language for language, suffixes in _LANGUAGES.items() for suffix in suffixes}

_SCRIPT_TESTS = ("*.test.*", "*.spec.*", "*-test.*", "*-spec.*", "*.cy.*")
_TEST_NAMES = {
    "python": ("test_*.py", "*_test.py", "tests.py", "test.py"),
    "javascript": _SCRIPT_TESTS,
    "typescript": _SCRIPT_TESTS,
    "go": ("*_test.go",),
    "rust": ("*_test.rs", "tests.rs", "test.rs"),
    "java": ("*Test.java", "*Tests.java", "*IT.java", "*TestCase.java", "Test*.java"),
    "kotlin": ("*Test.kt", "*Tests.kt", "*Spec.kt"),
    "ruby": ("*_spec.rb", "*_test.rb", "test_*.rb"),
    "php": ("*Test.php", "*.phpt"),
    "csharp": ("*Test.cs", "*Tests.cs"),
    "swift": ("*Test.swift", "*Tests.swift"),
    "elixir": ("*_test.exs",),
    "dart": ("*_test.dart",),
    "c": ("test_*.c", "*_test.c"),
    "cpp": ("test_*.c*", "*_test.c*", "*_unittest.c*", "*Test.cpp"),
    "shell": ("*.bats", "test_*.sh", "*_test.sh"),
}

_TEST_FOLDERS = (
    *("test", "tests", "__tests__", "__snapshots__", "__mocks__", "testdata", "cypress", "e2e"),
    *("golden", "goldens", "cassettes", "__fixtures__"),
)
"""All that lies below is part of the tests: expected outputs and fixtures decide an outcome as much as code does."""

_SPEC_FOLDERS = ("spec", "specs")
"""Tests in these languages only; elsewhere a `spec` folder holds documents."""
_SPEC_LANGUAGES = ("ruby", "javascript", "typescript", "php")

_CONFIGURES_TESTS = (
    *("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", "tox.ini", "tox.toml", "noxfile.py"),
    *("setup.cfg", "setup.py", "pyproject.toml", ".coveragerc", "coverage.ini", "pytest_plugins.py"),
    *("sitecustomize.py", "usercustomize.py", "*.pth", "load_tests.py"),
    *("package.json", "jest.config.*", "jest.setup.*", "vitest.config.*", "vitest.setup.*", "vitest.workspace.*"),
    *("vite.config.*", "playwright.config.*", "cypress.config.*", "cypress.json", "karma.conf.*", ".mocharc*"),
    *("babel.config.*", ".babelrc*", ".nycrc*", ".c8rc*", "ava.config.*", "jasmine.json", "wdio.conf.*", ".npmrc"),
    *("Makefile", "makefile", "GNUmakefile", "justfile", "Taskfile.yml", "Taskfile.yaml", "Rakefile"),
    *("Cargo.toml", "build.rs", "nextest.toml", "pom.xml", "build.gradle*", "phpunit.xml*", ".rspec", "*.csproj"),
    *("services.toml", "CMakeLists.txt", "mix.exs", "Package.swift", "dart_test.yaml"),
    # What configures types and lint decides a verdict as well.
    *("mypy.ini", ".mypy.ini", "pyrightconfig.json", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc", "pylintrc"),
    *("tsconfig*.json", "eslint.config.*", ".eslintrc*", ".eslintignore", "biome.json*", ".golangci.*", "clippy.toml"),
)

_BUILDS_TOO = (
    *(
        "setup.py",
        "setup.cfg",
        "pyproject.toml",
        "package.json",
        ".npmrc",
        "vite.config.*",
        "babel.config.*",
        ".babelrc*",
    ),
    *("Makefile", "makefile", "GNUmakefile", "justfile", "Taskfile.yml", "Taskfile.yaml", "Rakefile"),
    *("Cargo.toml", "build.rs", "pom.xml", "build.gradle*", "*.csproj", "CMakeLists.txt", "mix.exs", "Package.swift"),
    *("tsconfig*.json", "noxfile.py"),
)
"""Of these, the ones that also say how the product is built: honest work changes them."""

_CI_NAMES = (
    *(".gitlab-ci.yml", ".travis.yml", "appveyor.yml", ".appveyor.yml", "azure-pipelines*.yml", "Jenkinsfile*"),
    *(
        "bitbucket-pipelines.yml",
        ".drone.yml",
        ".cirrus.yml",
        "cloudbuild.y*ml",
        ".woodpecker.yml",
        ".pre-commit-config.yaml",
    ),
)
_CI_FOLDERS = (
    *(".github/workflows", ".github/actions", ".circleci", ".buildkite", ".gitlab", ".woodpecker", ".teamcity"),
    *(".azure-pipelines", ".forgejo/workflows", ".gitea/workflows", ".ci"),
)

_LOCKS = (
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"),
    *("poetry.lock", "Pipfile.lock", "uv.lock", "pdm.lock", "pixi.lock", "pylock*.toml", "requirements*.lock"),
    *("conda-lock.yml", "Cargo.lock", "go.sum", "Gemfile.lock", "composer.lock", "mix.lock", "pubspec.lock"),
    *("Podfile.lock", "Package.resolved", "packages.lock.json", "gradle.lockfile", "flake.lock", ".terraform.lock.hcl"),
)

_GENERATED_NAMES = (
    *("*.min.js", "*.min.css", "*.bundle.js", "*.js.map", "*.css.map", "*.pyc", "*.pyo", "*_pb2.py", "*_pb2.pyi"),
    *("*_pb2_grpc.py", "*.pb.go", "*.pb.cc", "*.pb.h", "*.g.dart", "*.freezed.dart", "*.generated.*", "*_generated.*"),
    *("*.designer.cs", "zz_generated*", "*.tsbuildinfo"),
)
_GENERATED_FOLDERS = ("node_modules", "__pycache__", ".next", ".nuxt", "__generated__", ".tox", ".venv", "venv")
_GENERATED_AT_THE_TOP = ("dist", "build", "out", "target", "coverage", "htmlcov", "vendor", "third_party")


def language_of(path: str) -> str:
    """The programming language a path's ending speaks of; "" if none."""
    return _LANGUAGE_OF.get(PurePosixPath(path).suffix.lower(), "")


def is_test(path: str) -> bool:
    """A test, or what lies in a test folder beside them. What configures tests is `is_test_configuration`."""
    where, language = PurePosixPath(path), language_of(path)
    folders = where.parts[:-1]
    if any(folder in _TEST_FOLDERS for folder in folders):
        return True
    if language in _SPEC_LANGUAGES and any(folder in _SPEC_FOLDERS for folder in folders):
        return True
    return _matches(where.name, _TEST_NAMES.get(language, ()))


def configures_only_tests(path: str) -> bool:
    """Whether a file configures judging and nothing of the product: it can be put back without breaking honest work."""
    return is_test_configuration(path) and not _matches(PurePosixPath(path).name, _BUILDS_TOO)


def is_test_configuration(path: str) -> bool:
    """What decides which tests, types and lint rules run, and how; anywhere in the tree."""
    return _matches(PurePosixPath(path).name, _CONFIGURES_TESTS) or path.startswith(".shopfloor/")


def is_ci(path: str) -> bool:
    """What a CI service reads."""
    return _matches(PurePosixPath(path).name, _CI_NAMES) or any(path.startswith(f"{top}/") for top in _CI_FOLDERS)


def is_lock(path: str) -> bool:
    """What pins dependencies, written by a package manager."""
    return _matches(PurePosixPath(path).name, _LOCKS)


def is_generated(path: str) -> bool:
    """What a tool writes and nobody edits, as far as a name can tell."""
    where = PurePosixPath(path)
    folders = where.parts[:-1]
    at_the_top = bool(folders) and folders[0] in _GENERATED_AT_THE_TOP
    return (
        at_the_top or any(folder in _GENERATED_FOLDERS for folder in folders) or _matches(where.name, _GENERATED_NAMES)
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
