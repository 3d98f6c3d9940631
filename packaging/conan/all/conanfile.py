import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, get, rmdir
from conan.tools.scm import Version

required_conan_version = ">=2.0"


class TwiliowaConan(ConanFile):
    name = "twiliowa"
    description = "WhatsApp messaging through Twilio"
    license = "MIT"
    url = "https://github.com/conan-io/conan-center-index"
    homepage = "https://github.com/twiliowa/twiliowa"
    topics = ("whatsapp", "twilio", "messaging", "webhook")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "with_campaigns": [True, False],
        "with_postgresql": [True, False],
        "with_redis": [True, False],
        "with_sqlite": [True, False],
        "with_tools": [True, False],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "with_campaigns": False,
        "with_postgresql": False,
        "with_redis": False,
        "with_sqlite": False,
        "with_tools": False,
    }
    # ConanCenter wants one version of each but for its list of exceptions.
    _versions = {
        "nlohmann_json": "3.11.3",
        "fmt": "11.0.2",
        "openssl": "[>=3 <4]",
        "libcurl": "[>=7.88 <9]",
        "sqlite3": "3.49.1",
        "libpq": "17.5",
        "hiredis": "1.2.0",
        "date": "3.0.3",
        "cpp-httplib": "0.20.1",
        "cli11": "2.4.2",
    }

    def configure(self):
        if self.options.shared:
            self.options.rm_safe("fPIC")

    def layout(self):
        cmake_layout(self, src_folder="src")

    def requirements(self):
        # twiliowa::testing is static beside a shared library too, and has its callers link what it
        # uses; the single header and the adapters have them compile it.
        for name in ("nlohmann_json", "fmt", "openssl", "libcurl"):
            self.requires(f"{name}/{self._versions[name]}", transitive_headers=True, transitive_libs=True)
        if self.options.with_campaigns:
            # Without that it downloads zones of its own.
            self.requires(f"date/{self._versions['date']}", options={"use_system_tz_db": True},
                          transitive_headers=True, transitive_libs=True)
        if self.options.with_postgresql:
            self.requires(f"libpq/{self._versions['libpq']}", transitive_headers=True, transitive_libs=True)
        if self.options.with_redis:
            self.requires(f"hiredis/{self._versions['hiredis']}", options={"with_ssl": True},
                          transitive_headers=True, transitive_libs=True)
        if self.options.with_sqlite:
            self.requires(f"sqlite3/{self._versions['sqlite3']}", transitive_headers=True, transitive_libs=True)
        if self.options.with_tools:
            self.requires(f"cpp-httplib/{self._versions['cpp-httplib']}", options={"with_openssl": True})
            self.requires(f"cli11/{self._versions['cli11']}")

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.23 <4]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration(f"{self.ref} builds on Linux only")
        oldest = {"gcc": "11", "clang": "14"}.get(str(self.settings.compiler))
        if not oldest:
            raise ConanInvalidConfiguration(f"{self.ref} needs gcc or clang")
        if Version(self.settings.compiler.version) < oldest:
            raise ConanInvalidConfiguration(f"{self.ref} needs {self.settings.compiler} {oldest} or later")

    def source(self):
        get(self, **self.conan_data["sources"][self.version], strip_root=True)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.variables["TWILIOWA_BUILD_TESTS"] = False
        toolchain.variables["TWILIOWA_BUILD_EXAMPLES"] = False
        toolchain.variables["TWILIOWA_BUILD_TOOLS"] = bool(self.options.with_tools)
        toolchain.variables["TWILIOWA_CAMPAIGNS"] = bool(self.options.with_campaigns)
        toolchain.variables["TWILIOWA_POSTGRESQL"] = bool(self.options.with_postgresql)
        toolchain.variables["TWILIOWA_REDIS"] = bool(self.options.with_redis)
        toolchain.variables["TWILIOWA_SQLITE"] = bool(self.options.with_sqlite)
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
        core.system_libs = ["pthread"]
        if self.options.shared:
            core.defines = ["TWILIOWA_SHARED"]

        outbox = self.cpp_info.components["outbox"]
        outbox.set_property("cmake_target_name", "twiliowa::outbox")
        outbox.set_property("pkg_config_name", "twiliowa-outbox")
        outbox.libs = ["twiliowa_outbox"]
        outbox.requires = ["twiliowa", "nlohmann_json::nlohmann_json", "openssl::crypto"]

        testing = self.cpp_info.components["testing"]
        testing.set_property("cmake_target_name", "twiliowa::testing")
        testing.set_property("pkg_config_name", "twiliowa-testing")
        testing.libs = ["twiliowa_testing"]
        testing.requires = ["outbox", "nlohmann_json::nlohmann_json", "openssl::crypto"]

        if self.options.with_campaigns:
            campaigns = self.cpp_info.components["campaigns"]
            campaigns.set_property("cmake_target_name", "twiliowa::campaigns")
            campaigns.set_property("pkg_config_name", "twiliowa-campaigns")
            campaigns.libs = ["twiliowa_campaigns"]
            campaigns.requires = ["outbox", "date::date-tz"]

        if self.options.with_sqlite:
            sqlite = self.cpp_info.components["sqlite"]
            sqlite.set_property("cmake_target_name", "twiliowa::sqlite")
            sqlite.set_property("pkg_config_name", "twiliowa-sqlite")
            sqlite.libs = ["twiliowa_sqlite"]
            sqlite.requires = ["outbox", "sqlite3::sqlite3"]

        if self.options.with_postgresql:
            postgresql = self.cpp_info.components["postgresql"]
            postgresql.set_property("cmake_target_name", "twiliowa::postgresql")
            postgresql.set_property("pkg_config_name", "twiliowa-postgresql")
            postgresql.libs = ["twiliowa_postgresql"]
            postgresql.requires = ["outbox", "libpq::pq"]

        if self.options.with_redis:
            redis = self.cpp_info.components["redis"]
            redis.set_property("cmake_target_name", "twiliowa::redis")
            redis.set_property("pkg_config_name", "twiliowa-redis")
            redis.libs = ["twiliowa_redis"]
            redis.requires = ["twiliowa", "hiredis::hiredislib", "hiredis::hiredis_ssl", "openssl::crypto", "openssl::ssl"]

        fmt = self.cpp_info.components["fmt"]
        fmt.set_property("cmake_target_name", "twiliowa::fmt")
        fmt.libs = []
        fmt.requires = ["twiliowa", "fmt::fmt"]

        single_header = self.cpp_info.components["single_header"]
        single_header.set_property("cmake_target_name", "twiliowa::single_header")
        single_header.libs = []
        single_header.requires = dependencies
