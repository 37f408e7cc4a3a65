/* Tokens whose checksum is right and whose parts are not: a writer of tokens can compute the
 * checksum, too. */
#include "../helper.h"

#include "process/token.h"
#include "sabway/crc32c.h"

enum { TEXT = 4096 };

/* The text with its checksum behind it, as sw_token_write would put it there. In a block of exactly
 * its size, so that AddressSanitizer sees each byte that is read behind it. */
static char *signed_text(const char *text) {
  size_t length = strlen(text);
  char *made = malloc(length + 10);
  assert_non_null(made);
  snprintf(made, length + 10, "%s:%08x", text, sw_crc32c(0, text, (size_t)length));
  return made;
}

static int read_parts(const char *text, sw_token *token) {
  char why[SW_WHY_BYTES] = "";
  char *whole = signed_text(text);
  int status = sw_token_read(token, whole, why);
  if (status != SW_OK) assert_true(strlen(why) > 10 && strlen(why) < SW_WHY_BYTES);
  free(whole);
  return status;
}

static int read_name(const char *name, sw_token *token) {
  char text[TEXT];
  snprintf(text, sizeof(text), "sabway2:1267:1:f00:15:140000:fedc:%s", name);
  return read_parts(text, token);
}

/* A name of any length: the longest that there can be is read, and one byte more is refused, not
 * copied. */
static void names_of_any_length(void **state) {
  (void)state;
  char name[TEXT / 2];
  for (uint32_t length = 0; length < sizeof(name); length++) {
    /* The token lies between bytes that must stay as they are. */
    struct {
      char before[64];
      sw_token token;
      char behind[TEXT];
    } on;
    memset(&on, 0x5a, sizeof(on));
    memset(name, 'n', length);
    name[length] = '\0';
    assert_int_equal(read_name(name, &on.token), length < SW_NAME_BYTES ? SW_OK : SW_ETOKEN);
    if (length < SW_NAME_BYTES) assert_string_equal(on.token.name, name);
    for (uint32_t i = 0; i < sizeof(on.before); i++) assert_int_equal(on.before[i], 0x5a);
    for (uint32_t i = 0; i < sizeof(on.behind); i++) assert_int_equal(on.behind[i], 0x5a);
  }
}

static void names_with_other_letters(void **state) {
  (void)state;
  sw_token token;
  for (int byte = 1; byte < 256; byte++) {
    const char name[] = {'a', (char)byte, 'b', '\0'};
    int allowed = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
                  byte == '.' || byte == '_' || byte == '-';
    assert_int_equal(read_name(name, &token), allowed ? SW_OK : SW_ETOKEN);
  }
  assert_int_equal(read_name("../../etc/passwd", &token), SW_ETOKEN);
}

/* Each number at its limits. */
static void numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int status;
  } rows[] = {
      {"sabway2:1:1:1:1:1:1:", SW_OK},
      {"sabway2:7fffffff:ffffffffffffffff:ffffffffffffffff:ffffffffffffffff:ffffffffffffffff:ffffffffffffffff:", SW_OK},
      {"sabway2:0000000000000001:1:1:1:1:1:", SW_OK}, /* sixteen digits */
      {"sabway2:00000000000000001:1:1:1:1:1:", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:10000000000000000:", SW_ETOKEN},
      {"sabway2:0:1:1:1:1:1:", SW_ETOKEN},
      {"sabway2:80000000:1:1:1:1:1:", SW_ETOKEN},
      {"sabway2:100000001:1:1:1:1:1:", SW_ETOKEN}, /* 1, if its upper half were lost */
      {"sabway2::1:1:1:1:1:", SW_ETOKEN},
      {"sabway2:1::1:1:1:1:", SW_ETOKEN},
      {"sabway2:1:1:1:1:1::", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:1", SW_ETOKEN}, /* the checksum stands where the name should */
      {"sabway2:1:1:1:1:1", SW_ETOKEN},
      {"sabway2:", SW_ETOKEN},
      {"sabway2", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:1:a:b", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:1A:", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:g:", SW_ETOKEN},
      {"sabway2:1:1:1:1:1:/:", SW_ETOKEN}, /* the characters beside the digits */
      {"sabway2:1:1:1:1:1:`:", SW_ETOKEN},
      {"sabway2: 1:1:1:1:1:1:", SW_ETOKEN},
      {"sabway1:1:1:1:1:1:1:", SW_ETOKEN},
      {"sabway22:1:1:1:1:1:1:", SW_ETOKEN},
      {"sabwa", SW_ETOKEN},
      {"", SW_ETOKEN},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    sw_token token;
    assert_int_equal(read_parts(rows[i].text, &token), rows[i].status);
  }
}

static void parts_go_where_they_belong(void **state) {
  (void)state;
  sw_token token;
  assert_int_equal(read_parts("sabway2:a1:b2:90:c3:d4:e5:f6", &token), SW_OK);
  assert_int_equal(token.pid, 0xa1);
  assert_int_equal(token.start, 0xb2);
  assert_int_equal(token.namespace, 0x90);
  assert_int_equal(token.handle, 0xc3);
  assert_int_equal(token.size, 0xd4);
  assert_int_equal(token.nonce, 0xe5);
  assert_string_equal(token.name, "f6");
}

/* A text that differs in its version says so, and one that is no token at all does not. */
static void reasons(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"sabway1:1:1:1:1:1:1:", "another version"},
                                        {"sabway20:1:1:1:1:1:1:", "another version"},
                                        {"subway1:1:1:1:1:1:", "does not begin"},
                                        {"sabway2:1:1:1:1:1:1:$", "the name"},
                                        {"sabway2:0:1:1:1:1:1:", "its parts"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char why[SW_WHY_BYTES] = "";
    sw_token token;
    char *text = signed_text(rows[i][0]);
    assert_int_equal(sw_token_read(&token, text, why), SW_ETOKEN);
    assert_non_null(strstr(why, rows[i][1]));
    text[strlen(text) - 1] ^= 1;
    sw_token_read(&token, text, why);
    if (strncmp(text, "sabway2:", 8) == 0) assert_non_null(strstr(why, "checksum"));
    free(text);
  }
}

TESTS(TEST(names_of_any_length), TEST(names_with_other_letters), TEST(numbers), TEST(parts_go_where_they_belong),
      TEST(reasons));
