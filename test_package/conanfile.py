"""Builds and runs a program against each component of the package."""

import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class TwiliowaTestConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if not can_run(self):
            return
        options = self.dependencies["twiliowa"].options
        components = [name for name in ("campaigns", "postgresql", "redis", "sqlite")
                      if getattr(options, f"with_{name}")]
        for program in ("package", "outbox", *components):
            self.run(os.path.join(self.cpp.build.bindir, f"test_{program}"), env="conanrun")
