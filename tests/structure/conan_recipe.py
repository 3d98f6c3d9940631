"""conan_recipe.py <tree> <scratch directory> <compiler>: runs the Conan recipes with stand-ins for
Conan's classes, and compares what they say with what CMake says of the files that they export. Conan
itself is not needed."""
import glob
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

tree, scratch, compiler = sys.argv[1:]


class Options:
    def __init__(self, values):
        self.__dict__.update(values)

    def rm_safe(self, name):
        self.__dict__.pop(name)


class Component:
    def __init__(self):
        self.libs, self.requires, self.defines, self.system_libs = ["?"], [], [], []
        self.properties = {}

    def set_property(self, name, value):
        self.properties[name] = value


class Components(dict):
    def __missing__(self, name):
        self[name] = Component()
        return self[name]


class ConanFile:
    def __init__(self):
        self.required, self.traits, self.recipe_folder, self.ref = {}, {}, tree, "twiliowa"
        self.settings = SimpleNamespace(os="Linux", compiler=MagicMock())
        self.cpp_info = Component()
        self.cpp_info.components = Components()

    def requires(self, reference, **traits):
        name, versions = reference.split("/", 1)
        self.required[name], self.traits[name] = versions, traits

    tool_requires = requires


class CMakeToolchain:
    def __init__(self, conanfile):
        self.variables = conanfile.variables = {}

    def generate(self):
        pass


class Version(str):
    def __lt__(self, other):
        return int(self) < int(other)


def load(_, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class ConanInvalidConfiguration(Exception):
    pass


def get(conanfile, url, sha256, strip_root):
    conanfile.got = url, sha256, strip_root


for name in ("conan", "conan.errors", "conan.tools", "conan.tools.build", "conan.tools.cmake",
             "conan.tools.files", "conan.tools.scm"):
    sys.modules[name] = module = ModuleType(name)
    module.__getattr__ = lambda name: MagicMock(name=name)
sys.modules["conan"].ConanFile = ConanFile
sys.modules["conan.tools.cmake"].CMakeToolchain = CMakeToolchain
sys.modules["conan.tools.files"].load = load
sys.modules["conan.tools.files"].get = get
sys.modules["conan.errors"].ConanInvalidConfiguration = ConanInvalidConfiguration
sys.modules["conan.tools.scm"].Version = Version


def recipe_of(path, name):
    scope = {"__name__": "recipe", "__file__": os.path.join(tree, path)}
    exec(compile(load(None, os.path.join(tree, path)), path, "exec"), scope)
    return scope[name]


def machine(it, system="Linux", compiler="gcc", version="12"):
    it.settings.os, it.settings.compiler.version = system, version
    it.settings.compiler.__str__ = lambda _: compiler
    return it


def is_refused(it):
    try:
        it.validate()
    except ConanInvalidConfiguration:
        return True
    return False


def recipe(path="conanfile.py", name="TwiliowaTree", **chosen):
    it = machine(recipe_of(path, name)())
    assert set(it.options) == {"shared", "fPIC", "with_campaigns", "with_postgresql", "with_redis", "with_sqlite", "with_tools"}, it.options
    assert all(value in it.options[name] for name, value in it.default_options.items())
    it.options = Options({**it.default_options, **chosen})
    if hasattr(it, "set_version"):
        it.set_version()
    it.configure()
    it.layout()
    it.requirements()
    it.build_requirements()
    assert not is_refused(it)
    it.generate()
    it.package_info()
    return it


def files_below(directory):
    for folder, folders, names in os.walk(directory):
        folders[:] = set(folders) - {"build", ".git"}
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), directory)


def configured(it):
    """Configures, as the recipe does, a tree of the files that the recipe exports."""
    source, build = os.path.join(scratch, "source"), os.path.join(scratch, "build")
    shutil.rmtree(scratch, ignore_errors=True)
    exported = [file for file in files_below(tree)
                if any(fnmatch(file, pattern) for pattern in it.exports_sources)]
    for file in exported:
        os.makedirs(os.path.dirname(os.path.join(source, file)), exist_ok=True)
        shutil.copy(os.path.join(tree, file), os.path.join(source, file))
    assert "LICENSE" in exported, exported
    variables = {**it.variables, "BUILD_SHARED_LIBS": it.options.shared}
    done = subprocess.run(
        ["cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={compiler}",
         *(f"-D{name}={'ON' if value else 'OFF'}" for name, value in variables.items())],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return build


# What Conan calls that which CMake finds; threads come with the system.
conan_names = {"OpenSSL::Crypto": "openssl::crypto", "CURL::libcurl": "libcurl::libcurl",
               "SQLite::SQLite3": "sqlite3::sqlite3", "PostgreSQL::PostgreSQL": "libpq::pq",
               "hiredis::hiredis": "hiredis::hiredislib", "hiredis::hiredis_ssl": "hiredis::hiredis_ssl",
               "OpenSSL::SSL": "openssl::ssl", "date::date-tz": "date::date-tz",
               "twiliowa::twiliowa": "twiliowa",
               "twiliowa::outbox": "outbox", "Threads::Threads": None}


def exported_targets(build):
    """For each target that CMake exports, whether it is a library file, and what links it has."""
    text = "".join(load(None, path) for path in glob.glob(
        f"{build}/CMakeFiles/Export/**/twiliowa-*targets.cmake", recursive=True))
    targets = {}
    for name, kind in re.findall(r"add_library\((\S+) (\w+) IMPORTED\)", text):
        found = re.search(rf"properties\({name} [^)]*?INTERFACE_LINK_LIBRARIES \"([^\"]*)\"",
                          text, re.IGNORECASE)
        links = re.sub(r"\\\$<LINK_ONLY:([^>]*)>", r"\1", found.group(1)).split(";") if found else []
        targets[name] = kind != "INTERFACE", {conan_names.get(link, link) for link in links} - {None}
    return targets


def check_against_cmake(it, keeps_to_itself=()):
    """Components are CMake's targets, with their libraries and what they link."""
    build = configured(it)
    targets = exported_targets(build)
    # The package file defines it, where fmt is found.
    targets["twiliowa::fmt"] = False, {"twiliowa", "fmt::fmt"}
    components = it.cpp_info.components
    assert {c.properties["cmake_target_name"] for c in components.values()} == set(targets), targets
    for name, component in components.items():
        is_file, links = targets[component.properties["cmake_target_name"]]
        assert component.properties["cmake_target_name"] == f"twiliowa::{name}", name
        library = "twiliowa" if name == "twiliowa" else f"twiliowa_{name}"
        assert component.libs == ([library] if is_file else []), (name, component.libs)
        if name == "redis":
            # Conan's hiredis has TLS, that of this machine need not.
            links = links | {"hiredis::hiredis_ssl", "openssl::ssl"}
        if name not in keeps_to_itself:
            assert set(component.requires) == links, (name, component.requires, links)
        for package in (needed.split("::")[0] for needed in component.requires if "::" in needed):
            traits = {name: value for name, value in it.traits[package].items() if name != "options"}
            assert traits == {"transitive_headers": True, "transitive_libs": True}, package
    installed = set(re.findall(r"/include/(twiliowa/[\w/]+\.hpp)", load(None, f"{build}/cmake_install.cmake")))
    headers = {header for header in files_below(f"{tree}/include")
               if (it.options.with_campaigns or not header.startswith("twiliowa/campaign/"))
               and (it.options.with_sqlite or not header.startswith("twiliowa/sqlite/"))
               and (it.options.with_redis or not header.startswith("twiliowa/redis/"))
               and (it.options.with_postgresql or not header.startswith("twiliowa/postgresql/"))}
    assert installed == headers, installed ^ headers


static, shared, tools = recipe(), recipe(shared=True), recipe(with_tools=True)
campaigns = recipe(with_campaigns=True)
sqlite, postgresql, redis = recipe(with_sqlite=True), recipe(with_postgresql=True), recipe(with_redis=True)
lists = load(None, f"{tree}/CMakeLists.txt")
version = re.search(r'VERSION_STRING "(.*)"', load(None, f"{tree}/include/twiliowa/version.hpp")).group(1)
assert static.name == "twiliowa" and static.version == version
assert static.homepage == static.url == re.search(r"HOMEPAGE_URL ([^)\s]+)", lists).group(1)
assert os.path.exists(os.path.join(tree, static.exports)), static.exports
oldest_cmake = re.search(r"cmake_minimum_required\(VERSION ([0-9.]+)\)", lists).group(1)
assert static.required["cmake"] == f"[>={oldest_cmake} <4]"
assert static.required["nlohmann_json"] == "[>=3.11.2 <4]" and static.required["fmt"] == "[>=9.1 <13]"
assert static.required["openssl"] == "[>=3 <4]" and static.required["libcurl"] == "[>=7.88 <9]"
for name in ("cpp-httplib", "cli11"):
    assert name not in static.required and name in tools.required, name
assert "sqlite3" not in static.required and sqlite.required["sqlite3"] == "[>=3.37 <4]"
assert "libpq" not in static.required and postgresql.required["libpq"] == "[>=14 <19]"
assert "hiredis" not in static.required and redis.required["hiredis"] == "[>=0.14.1 <2]"
assert "date" not in static.required and campaigns.required["date"] == "[>=3.0.1 <4]"
assert campaigns.traits["date"]["options"] == {"use_system_tz_db": True}
assert redis.traits["hiredis"]["options"] == {"with_ssl": True}
assert not hasattr(shared.options, "fPIC") and hasattr(static.options, "fPIC")
assert static.cpp_info.properties["cmake_file_name"] == "twiliowa"
assert shared.cpp_info.components["twiliowa"].defines == ["TWILIOWA_SHARED"]
assert not static.cpp_info.components["twiliowa"].defines

check_against_cmake(tools)
check_against_cmake(campaigns)
check_against_cmake(sqlite)
check_against_cmake(postgresql)
check_against_cmake(redis)
check_against_cmake(shared, keeps_to_itself=("twiliowa",))

# What cannot be built is refused before it is tried.
for refused in ({"system": "Windows"}, {"system": "Macos"}, {"version": "10"}, {"compiler": "clang", "version": "13"},
                {"compiler": "msvc", "version": "193"}):
    assert is_refused(machine(recipe(), **refused)), refused
assert not is_refused(machine(recipe(), version="11"))

# ConanCenter's: the released archive, and one version of each dependency but for those that it excepts.
center = recipe("packaging/conan/all/conanfile.py", "TwiliowaConan", with_tools=True)
assert center.homepage == static.homepage and center.url == "https://github.com/conan-io/conan-center-index"
assert not hasattr(center, "set_version") and not hasattr(center, "exports_sources")
assert {name for name, versions in center.required.items() if "[" in versions} == {"openssl", "libcurl", "cmake"}
center.version, center.conan_data = version, {"sources": {version: {"url": "u", "sha256": "s"}}}
center.source()
assert center.got == ("u", "s", True)
assert not hasattr(static, "got") and static.source() is None and not hasattr(static, "got")

# The package is tested with what it has: a program for each component, from the sources that lie beside.
test_lists = load(None, f"{tree}/test_package/CMakeLists.txt")
named = set(re.findall(r"twiliowa::\w+", test_lists))
in_turn = re.search(r"foreach\(component IN ITEMS ([a-z ]+)\)", test_lists).group(1).split()
everything = recipe(**{f"with_{name}": True for name in ("campaigns", "postgresql", "redis", "sqlite")})
components = {component.properties["cmake_target_name"] for component in everything.cpp_info.components.values()}
# The single header is another form of the same, and has tests of its own.
assert named | {f"twiliowa::{name}" for name in in_turn} == components - {"twiliowa::twiliowa", "twiliowa::single_header"}, in_turn
for name in in_turn:
    assert os.path.exists(f"{tree}/test_package/{name}.cpp"), name


def programs_run(tested):
    """The programs that Conan runs for a package with these options."""
    it = recipe_of("test_package/conanfile.py", "TwiliowaTestConan")()
    it.tested_reference_str = f"twiliowa/{version}"
    it.requirements()
    assert it.required == {"twiliowa": version}
    it.dependencies, run = {"twiliowa": tested}, []
    it.cpp = SimpleNamespace(build=SimpleNamespace(bindir="bin"))
    it.run = lambda command, env: run.append((command, env))
    it.test()
    assert all(env == "conanrun" for _, env in run), run
    return [command for command, _ in run]


assert programs_run(static) == ["bin/test_package", "bin/test_outbox"]
assert programs_run(redis) == ["bin/test_package", "bin/test_outbox", "bin/test_redis"]
assert programs_run(everything) == ["bin/test_package", *(f"bin/test_{name}" for name in in_turn)]
