"""Conan 2 recipe: `conan create .`"""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir
from conan.tools.scm import Version

required_conan_version = ">=2.0"


class TwiliowaConan(ConanFile):
    name = "twiliowa"
    description = "WhatsApp messaging through Twilio"
    license = "MIT"
    homepage = "https://github.com/twiliowa/twiliowa"
    url = homepage
    topics = ("whatsapp", "twilio", "messaging", "webhook")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "with_tools": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_tools": False}
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "src/*", "tools/*", "LICENSE"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include/twiliowa/version.hpp"))
        self.version = re.search(r'VERSION_STRING "([0-9.]+)"', header).group(1)

    def configure(self):
        if self.options.shared:
            self.options.rm_safe("fPIC")

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # twiliowa::testing is static beside a shared library too, and has its callers link what it uses;
        # the single header and the adapter have them compile it.
        reaching = {"transitive_headers": True, "transitive_libs": True}
        self.requires("nlohmann_json/[>=3.11.2 <4]", **reaching)
        self.requires("fmt/[>=9.1 <13]", **reaching)
        self.requires("openssl/[>=3 <4]", **reaching)
        self.requires("libcurl/[>=7.88 <9]", **reaching)
        if self.options.with_tools:
            self.requires("cpp-httplib/[>=0.11.4 <1]", options={"with_openssl": True})

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.23]")

    def validate(self):
        check_min_cppstd(self, 20)
        oldest = {"gcc": "12", "clang": "14"}.get(str(self.settings.compiler))
        if oldest and Version(self.settings.compiler.version) < oldest:
            raise ConanInvalidConfiguration(f"{self.settings.compiler} {oldest} or later is needed")

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.variables["TWILIOWA_BUILD_TESTS"] = False
        toolchain.variables["TWILIOWA_BUILD_EXAMPLES"] = False
        toolchain.variables["TWILIOWA_BUILD_TOOLS"] = bool(self.options.with_tools)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        dependencies = ["nlohmann_json::nlohmann_json", "openssl::crypto", "libcurl::libcurl"]
        self.cpp_info.set_property("cmake_file_name", "twiliowa")

        core = self.cpp_info.components["twiliowa"]
        core.set_property("cmake_target_name", "twiliowa::twiliowa")
        core.set_property("pkg_config_name", "twiliowa")
        core.libs = ["twiliowa"]
        core.requires = dependencies
        if self.options.shared:
            core.defines = ["TWILIOWA_SHARED"]
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]

        testing = self.cpp_info.components["testing"]
        testing.set_property("cmake_target_name", "twiliowa::testing")
        testing.libs = ["twiliowa_testing"]
        testing.requires = ["twiliowa", "nlohmann_json::nlohmann_json", "openssl::crypto"]

        fmt = self.cpp_info.components["fmt"]
        fmt.set_property("cmake_target_name", "twiliowa::fmt")
        fmt.libs = []
        fmt.requires = ["twiliowa", "fmt::fmt"]

        single_header = self.cpp_info.components["single_header"]
        single_header.set_property("cmake_target_name", "twiliowa::single_header")
        single_header.libs = []
        single_header.requires = dependencies
