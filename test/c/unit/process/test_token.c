/* Tokens as text: what is written is read again, and nothing else. */
#include "../helper.h"

#include "process/token.h"

static const sw_token ONE = {4711, 0x123456789ab, 4026531836, 21, 20 * SW_PAGE, 0xfedcba9876543210, "", 0, 0};

static void round_trip(void **state) {
  (void)state;
  sw_token tokens[3] = {
      ONE,
      {INT32_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, "", UINT32_MAX, UINT32_MAX},
      {1, 0, 0, 0, 0, 0, "a.B_9-", 0x110480, 1}};
  memset(tokens[1].name, 'x', SW_NAME_BYTES - 1);
  for (int i = 0; i < 3; i++) {
    char text[SW_TOKEN_BYTES], why[SW_WHY_BYTES];
    sw_token read;
    sw_token_write(&tokens[i], text);
    assert_true(strlen(text) < SW_TOKEN_BYTES);
    assert_int_equal(sw_token_read(&read, text, why), SW_OK);
    char again[SW_TOKEN_BYTES];
    sw_token_write(&read, again);
    assert_string_equal(again, text);
    assert_int_equal(read.pid, tokens[i].pid);
    assert_int_equal(read.namespace, tokens[i].namespace);
    assert_int_equal(read.nonce, tokens[i].nonce);
    assert_string_equal(read.name, tokens[i].name);
    assert_int_equal(read.channel, tokens[i].channel);
    assert_int_equal(read.generation, tokens[i].generation);
  }
}

/* Behind a region's token is the place of one of its channels, or nothing. */
static void channels(void **state) {
  (void)state;
  static const char *const NONE[] = {"/",         "/1",     "/1.",   "/.1",   "/0.1",         "/1.0",
                                     "/1.1/1.1",  "/1.1.1", "/1.1 ", "/A.1",  "/1.100000000", "/100000000.1",
                                     "/ffffffff", "/1:1",   "/-1.1", "//1.1", "/1.x",         ".1"};
  char text[SW_TOKEN_BYTES], why[SW_WHY_BYTES];
  sw_token read;
  sw_token_write(&ONE, text);
  size_t length = strlen(text);
  for (size_t i = 0; i < sizeof(NONE) / sizeof(*NONE); i++) {
    strcpy(text + length, NONE[i]);
    if (sw_token_read(&read, text, why) != SW_ETOKEN) fail_msg("%s was taken", text);
    assert_true(strlen(why) > 10);
  }
  strcpy(text + length, "/110480.2a");
  assert_int_equal(sw_token_read(&read, text, why), SW_OK);
  assert_int_equal(read.channel, 0x110480);
  assert_int_equal(read.generation, 0x2a);
  assert_string_equal(read.name, "");
}

/* Every change of one byte, and every prefix. */
static void damaged(void **state) {
  (void)state;
  char text[SW_TOKEN_BYTES], why[SW_WHY_BYTES];
  sw_token read;
  sw_token_write(&ONE, text);
  size_t length = strlen(text);
  for (size_t at = 0; at < length; at++) {
    for (int byte = 0; byte < 256; byte++) {
      char damaged[SW_TOKEN_BYTES];
      memcpy(damaged, text, length + 1);
      if (damaged[at] == (char)byte) continue;
      damaged[at] = (char)byte;
      assert_int_equal(sw_token_read(&read, damaged, why), SW_ETOKEN);
      assert_true(strlen(why) > 10);
    }
  }
}

static void random_text(void **state) {
  (void)state;
  static const char LETTERS[] = "sabwy2:0123456789abcdef:::";
  uint64_t seed = 7;
  for (int i = 0; i < 200000; i++) {
    char text[64] = "sabway2:", why[SW_WHY_BYTES];
    sw_token read;
    uint32_t begin = random_next(&seed) % 9, length = begin + random_next(&seed) % 50;
    for (uint32_t at = begin; at < length; at++) text[at] = LETTERS[random_next(&seed) % (sizeof(LETTERS) - 1)];
    text[length] = '\0';
    assert_int_equal(sw_token_read(&read, text, why), SW_ETOKEN);
  }
}

TESTS(TEST(round_trip), TEST(channels), TEST(damaged), TEST(random_text));
