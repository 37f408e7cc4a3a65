/* Numbers out of a plugin's options. */
#include "sabway/options.h"

#include "../helper.h"

static void expect(const char *json, const char *name, double value) {
  double got = sabway_option(json, name, -1);
  if (!(got == value)) fail_msg("%s of %s is %f, not %f", name, json, got, value);
}

static void numbers(void **state) {
  (void)state;
  expect("{\"width\":640,\"rate\":59.94}", "width", 640);
  expect("{\"width\":640,\"rate\":59.94}", "rate", 59.94);
  expect("{ \"a\" : 1e3 , \"b\" : -0.5 }", "a", 1000);
  expect("{ \"a\" : 1e3 , \"b\" : -0.5 }", "b", -0.5);
  expect("{\"a\":0}", "a", 0);
}

static void not_there(void **state) {
  (void)state;
  expect("", "a", -1);
  expect("{}", "a", -1);
  expect("{\"ab\":1}", "a", -1);
  expect("{\"a\":1}", "ab", -1);
  expect("{\"a\":\"5\"}", "a", -1);
  expect("{\"a\":null}", "a", -1);
  expect("{\"a\":true,\"b\":2}", "a", -1);
  expect("{\"a\"", "a", -1);
  expect("{\"a", "a", -1);
}

static void strings_are_skipped(void **state) {
  (void)state;
  expect("{\"name\":\"size\",\"size\":3}", "size", 3);
  expect("{\"path\":\"\\\"size\\\":7\",\"size\":4}", "size", 4);
  expect("{\"path\":\"c:\\\\\",\"size\":5}", "size", 5);
  expect("{\"path\":\"open\\", "size", -1);
  expect("{\"path\":\"size:8\"}", "size", -1);
}

TESTS(TEST(numbers), TEST(not_there), TEST(strings_are_skipped));
