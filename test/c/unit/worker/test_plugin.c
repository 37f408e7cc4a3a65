/* Loading plugins, and the words for why not. */
#include "../worker_helper.h"

static void expect_refused(const char *name, int status, const char *words) {
  void *library;
  const sabway_plugin_v1 *plugin;
  char why[256] = "";
  assert_int_equal(plugin_load(name, &library, &plugin, why, sizeof(why)), status);
  if (strstr(why, words) == NULL) fail_msg("\"%s\" does not say \"%s\"", why, words);
}

static void loads(void **state) {
  (void)state;
  void *library;
  const sabway_plugin_v1 *plugin;
  char why[256] = "";
  assert_int_equal(plugin_load("logger", &library, &plugin, why, sizeof(why)), SW_OK);
  assert_string_equal(plugin->name, "logger");
  assert_int_equal(plugin->abi, SABWAY_PLUGIN_ABI);
  assert_non_null(plugin->on_message);
  assert_string_equal(why, "");
  sw_plugin_unload(library);
}

static void an_older_abi_loads(void **state) {
  (void)state;
  void *library;
  const sabway_plugin_v1 *plugin;
  char why[256] = "";
  assert_int_equal(plugin_load("old-abi", &library, &plugin, why, sizeof(why)), SW_OK);
  assert_int_equal(plugin->abi, 1);
  sw_plugin_unload(library);
}

static void no_such_file(void **state) {
  (void)state;
  expect_refused("not-there", SW_ENOPLUGIN, "not-there.so");
}

static void no_symbol(void **state) {
  (void)state;
  expect_refused("no-symbol", SW_ESYMBOL, "SABWAY_EXPORT");
}

static void another_abi(void **state) {
  (void)state;
  expect_refused("bad-abi", SW_EPLUGINABI, "version 999");
}

static void missing_function(void **state) {
  (void)state;
  expect_refused("no-open", SW_EPLUGINABI, "open");
}

static void short_buffer_for_words(void **state) {
  (void)state;
  void *library;
  const sabway_plugin_v1 *plugin;
  char why[8];
  assert_int_equal(plugin_load("bad-abi", &library, &plugin, why, sizeof(why)), SW_EPLUGINABI);
  assert_int_equal(strlen(why), 7);
}

TESTS(TEST(loads), TEST(an_older_abi_loads), TEST(no_such_file), TEST(no_symbol), TEST(another_abi),
      TEST(missing_function), TEST(short_buffer_for_words));
