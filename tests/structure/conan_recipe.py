"""conan_recipe.py <tree> <version> <oldest CMake> <targets>: runs the Conan recipes with stand-ins for
Conan's classes, and compares what they say. Conan itself is not needed."""
import os
import re
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

tree, version, oldest_cmake, targets = sys.argv[1:]


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
        self.required, self.recipe_folder = {}, tree
        self.settings = SimpleNamespace(os="Linux", compiler=MagicMock())
        self.cpp_info = Component()
        self.cpp_info.components = Components()

    def requires(self, reference, **_):
        self.required.update([reference.split("/", 1)])

    tool_requires = requires


class Version(str):
    def __lt__(self, other):
        return int(self) < int(other)


def load(_, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


for name in ("conan", "conan.errors", "conan.tools", "conan.tools.build", "conan.tools.cmake",
             "conan.tools.files", "conan.tools.scm"):
    sys.modules[name] = module = ModuleType(name)
    module.__getattr__ = lambda name: MagicMock(name=name)
sys.modules["conan"].ConanFile = ConanFile
sys.modules["conan.tools.files"].load = load
sys.modules["conan.tools.scm"].Version = Version


def recipe_of(path, name):
    scope = {"__name__": "recipe"}
    exec(compile(load(None, os.path.join(tree, path)), path, "exec"), scope)
    return scope[name]


def recipe(**chosen):
    it = recipe_of("conanfile.py", "TwiliowaConan")()
    assert set(it.options) == {"shared", "fPIC", "with_tools"}, it.options
    assert all(value in it.options[name] for name, value in it.default_options.items())
    it.options = Options({**it.default_options, **chosen})
    it.settings.compiler.version = "12"
    it.settings.compiler.__str__ = lambda _: "gcc"
    it.set_version()
    it.configure()
    it.layout()
    it.requirements()
    it.build_requirements()
    it.validate()
    it.package_info()
    return it


static, shared, tools = recipe(), recipe(shared=True), recipe(with_tools=True)
assert static.name == "twiliowa" and static.version == version
assert static.required["cmake"] == f"[>={oldest_cmake}]"
assert static.required["nlohmann_json"] == "[>=3.11.2 <4]" and static.required["fmt"] == "[>=9.1 <13]"
assert static.required["openssl"] == "[>=3 <4]" and static.required["libcurl"] == "[>=7.88 <9]"
assert "cpp-httplib" not in static.required and "cpp-httplib" in tools.required
assert not hasattr(shared.options, "fPIC") and hasattr(static.options, "fPIC")

components = static.cpp_info.components
assert static.cpp_info.properties["cmake_file_name"] == "twiliowa"
assert {c.properties["cmake_target_name"] for c in components.values()} == set(targets.split(","))
for name, component in components.items():
    assert component.properties["cmake_target_name"] == f"twiliowa::{name}", name
    for needed in component.requires:
        package = needed.split("::")[0]
        assert package in (static.required if "::" in needed else components), needed
assert components["twiliowa"].libs == ["twiliowa"] and components["testing"].libs == ["twiliowa_testing"]
assert components["single_header"].libs == []
assert shared.cpp_info.components["twiliowa"].defines == ["TWILIOWA_SHARED"]
assert not components["twiliowa"].defines
for pattern in static.exports_sources:
    assert os.path.exists(os.path.join(tree, pattern.removesuffix("/*"))), pattern

# The package is tested with what it has.
test = recipe_of("test_package/conanfile.py", "TwiliowaTestConan")()
test.tested_reference_str = f"twiliowa/{version}"
test.requirements()
assert test.required == {"twiliowa": version}
assert set(re.findall(r"twiliowa::\w+", load(None, f"{tree}/test_package/CMakeLists.txt"))) <= {
    component.properties["cmake_target_name"] for component in components.values()}
