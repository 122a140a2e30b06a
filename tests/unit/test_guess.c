/* Guesses beyond what tests/cases show: their borders, and that no data is ever shown. */
#include "check.h"

#include "base/banned.h"
#include "base/memory.h"
#include "classify/guess.h"

static void assert_guess(const char *bytes, size_t size, const char *words)
{
    struct error error = ERROR_INIT;

    assert_int_equal(guess_explain(bytes, size, &error), -1);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_true(*error.hint);
    assert_says(&error, words);
}

#define GUESS(bytes_, words_) assert_guess(bytes_, sizeof(bytes_) - 1, words_)

static void length_and_encoding_are_told(void **state)
{
    (void)state;
    GUESS("", "(0 bytes, ASCII)");
    GUESS("hi", "text without a known first line (2 bytes, ASCII)");
    GUESS("h\xc3\xaf", "text without a known first line (3 bytes, UTF-8)");
    GUESS("h\xef", "nothing known (2 bytes, binary)");
    GUESS("h\xc3", "nothing known (2 bytes, binary)");
    GUESS("h\0i", "nothing known (3 bytes, binary)");
}

static void magics_need_all_their_bytes(void **state)
{
    static char tar[262];

    (void)state;
    GUESS("\x1f\x8b", "gzip-compressed");
    GUESS("\x1f", "text without");
    GUESS("PK\x03", "text without");
    GUESS("PK\x03\x04", "zip archive");
    memcpy(tar + 257, "ustar", 5);
    assert_guess(tar, sizeof tar, "tar archive");
    assert_guess(tar, sizeof tar - 1, "nothing known");
}

static void base64_wants_length_and_alphabet(void **state)
{
    (void)state;
    GUESS("IyEvYmluL3NoCmVj", "base64");
    GUESS("IyEvYmluL3N+/w==", "base64");
    GUESS("IyEv\nYmlu\r\nL3No\nCmVj\n", "base64");
    GUESS("IyEvYmluL3No", "text without");
    GUESS("IyEvYmluL3NoCmVjx", "text without");
    GUESS("IyEvYmluL3NoCmV-", "text without");
    GUESS("IyEvYmlu L3NoCmV", "text without");
    GUESS("IyEvYmluL3NoCmV\0", "nothing known");
}

static void yaml_wants_a_key(void **state)
{
    (void)state;
    GUESS("runcmd:", "YAML");
    GUESS("write_files:\n", "YAML");
    GUESS("a-b: c", "YAML");
    GUESS(":", "text without");
    GUESS("http://example.com/", "text without");
    GUESS("two words: x", "text without");
}

static void data_is_never_shown(void **state)
{
    static const char *const beginnings[] = {
        "",       "---\n",  "{",          "MIME-Version: ", "# cloud-config\n",
        "#ps1\n", "<html>", "password: ", "\x1f\x8b",       "PK\x03\x04"};

    (void)state;
    for (size_t i = 0; i < COUNT(beginnings); i++) {
        AUTO_FREE char *text = memory_format("%shunter2", beginnings[i]);
        struct error error = ERROR_INIT;

        guess_explain(text, strlen(text), &error);
        if (strstr(error.message, "hunter") || strstr(error.hint, "hunter"))
            fail_msg("shown: %s; %s", error.message, error.hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(length_and_encoding_are_told),
        cmocka_unit_test(magics_need_all_their_bytes),
        cmocka_unit_test(base64_wants_length_and_alphabet),
        cmocka_unit_test(yaml_wants_a_key),
        cmocka_unit_test(data_is_never_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
