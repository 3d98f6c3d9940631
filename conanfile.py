"""Conan 2 recipe for the tree: `conan create .`. It is ConanCenter's recipe, with the sources that lie
beside it, their version, and dependencies in any version that CMakeLists.txt takes."""

import importlib.util
import os
import re

from conan.tools.cmake import cmake_layout
from conan.tools.files import load

_folder = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.util.spec_from_file_location(
    "twiliowa_conan_center", os.path.join(_folder, "packaging/conan/all/conanfile.py"))
_center = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_center)

required_conan_version = ">=2.0"


class TwiliowaTree(_center.TwiliowaConan):
    url = _center.TwiliowaConan.homepage
    exports = "packaging/conan/all/conanfile.py"
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "src/*", "tools/*", "LICENSE"
    _versions = {
        **_center.TwiliowaConan._versions,
        "nlohmann_json": "[>=3.11.2 <4]",
        "fmt": "[>=9.1 <13]",
        "sqlite3": "[>=3.37 <4]",
        "libpq": "[>=14 <19]",
        "hiredis": "[>=0.14.1 <2]",
        "date": "[>=3.0.1 <4]",
        "cpp-httplib": "[>=0.11.4 <1]",
        "cli11": "[>=2.1.2 <3]",
    }

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include/twiliowa/version.hpp"))
        self.version = re.search(r'VERSION_STRING "([0-9.]+)"', header).group(1)

    def layout(self):
        cmake_layout(self)

    def source(self):
        pass
