/*
 * The digest against published values of FNV-1a with 128 bits: those of RFC 9923 ("", "a",
 * "foobar") and of Go's hash/fnv ("ab", "abc").
 */
#include "check.h"

#include "base/banned.h"
#include "base/digest.h"

static void assert_digest(const struct digest *digest, const char *expected)
{
    char text[DIGEST_TEXT_MAX];

    assert_string_equal(digest_text(digest, text), expected);
}

static void published_values(void **state)
{
    static const struct {
        const char *text, *digest;
    } vectors[] = {
        {"", "6c62272e07bb014262b821756295c58d"},       {"a", "d228cb696f1a8caf78912b704e4a8964"},
        {"ab", "08809544bbab1be95aa0733055b69a62"},     {"abc", "a68d622cec8b5822836dbc7977af7f3b"},
        {"foobar", "343e1662793c64bf6f0d3597ba446f18"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct digest digest;

        digest_init(&digest);
        digest_add(&digest, vectors[i].text, strlen(vectors[i].text));
        assert_digest(&digest, vectors[i].digest);
    }
}

static void pieces_make_the_same_as_the_whole(void **state)
{
    struct digest digest;

    (void)state;
    digest_init(&digest);
    digest_add(&digest, "foo", 3);
    digest_add(&digest, "", 0);
    digest_add(&digest, NULL, 0);
    digest_add(&digest, "bar", 3);
    assert_digest(&digest, "343e1662793c64bf6f0d3597ba446f18");
}

static struct digest of_texts(const char *first, const char *second)
{
    struct digest digest;

    digest_init(&digest);
    digest_add_text(&digest, first);
    digest_add_text(&digest, second);
    return digest;
}

static void texts_do_not_run_together(void **state)
{
    struct digest one = of_texts("a", "b"), other = of_texts("ab", ""), none = of_texts("ab", NULL);

    (void)state;
    assert_memory_not_equal(&one, &other, sizeof one);
    assert_memory_equal(&other, &none, sizeof other);
}

static void high_bytes_count_as_bytes(void **state)
{
    struct digest digest;

    (void)state;
    digest_init(&digest);
    digest_add(&digest, "\xff", 1);
    assert_digest(&digest, "d228cb68f51a8caf78912b704e49f346");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(pieces_make_the_same_as_the_whole),
        cmocka_unit_test(texts_do_not_run_together),
        cmocka_unit_test(high_bytes_count_as_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
