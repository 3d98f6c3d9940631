#include <cstdio>
#include <variant>

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
// Lets trompeloeil report its violations as doctest failures; exactly one file may do so.
#include <doctest/trompeloeil.hpp>

namespace {

/// Names the tests marked with doctest::skip(); doctest itself only counts them.
struct NameSkipped : doctest::IReporter {
    explicit NameSkipped(const doctest::ContextOptions&) {}
    void test_case_skipped(const doctest::TestCaseData& test) override {
        if (test.m_skip) std::printf("SKIPPED (marked): %s\n", test.m_name);
    }

    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats&) override {}
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
};
DOCTEST_REGISTER_LISTENER("name-skipped", 1, NameSkipped);

REGISTER_EXCEPTION_TRANSLATOR(const std::bad_variant_access& wrong) {
    return doctest::String(wrong.what()) +
           ": the error of a Result that holds a value was asked for, or a variant's other kind";
}

}  // namespace
