/* The error table: one number, one code and one sentence for each. */
#include "../helper.h"

typedef struct row {
  int number;
  const char *code, *text;
} row;

static const row ROWS[] = {
#define ROW(name, number, code, text) {name, code, text},
    SW_ERROR_TABLE(ROW)
#undef ROW
};
enum { COUNT = sizeof(ROWS) / sizeof(*ROWS) };

static void all_different(void **state) {
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    /* downwards: numbers are never reused */
    assert_true(ROWS[i].number < (i == 0 ? 0 : ROWS[i - 1].number));
    assert_int_equal(strncmp(ROWS[i].code, "ERR_SABWAY_", 11), 0);
    for (int j = 0; j < i; j++) {
      assert_string_not_equal(ROWS[i].code, ROWS[j].code);
      assert_string_not_equal(ROWS[i].text, ROWS[j].text);
    }
  }
}

static void looked_up(void **state) {
  (void)state;
  for (int i = 0; i < COUNT; i++) {
    assert_string_equal(sw_error_code(ROWS[i].number), ROWS[i].code);
    assert_string_equal(sw_error_text(ROWS[i].number), ROWS[i].text);
    assert_true(strlen(ROWS[i].text) > 10);
  }
  assert_string_equal(sw_error_code(-1000), "ERR_SABWAY_UNKNOWN");
  assert_string_equal(sw_error_code(0), "ERR_SABWAY_UNKNOWN");
  assert_string_equal(sw_error_text(1), "unknown error");
}

TESTS(TEST(all_different), TEST(looked_up));
