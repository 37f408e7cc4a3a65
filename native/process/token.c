#include "token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sabway/crc32c.h"

static const char VERSION[] = "sabway2";

int sw_token_name_valid(const char *name) {
  static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  size_t length = strlen(name);
  return length > 0 && length < SW_NAME_BYTES && strspn(name, ALLOWED) == length;
}

void sw_token_write(const sw_token *token, char text[SW_TOKEN_BYTES]) {
  int length =
      snprintf(text, SW_TOKEN_BYTES, "%s:%x:%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%016" PRIx64 ":%s", VERSION,
               token->pid, token->start, token->namespace, token->handle, token->size, token->nonce, token->name);
  uint32_t crc = sw_crc32c(0, text, (size_t)length);
  length += snprintf(text + length, SW_TOKEN_BYTES - (size_t)length, ":%08x", crc);
  if (token->channel == 0) return;
  snprintf(text + length, SW_TOKEN_BYTES - (size_t)length, "/%x.%x", token->channel, token->generation);
}

static int refuse(char *why, const char *reason) {
  snprintf(why, SW_WHY_BYTES, "%s; pass the `token` of a region or channel, as it was made", reason);
  return SW_ETOKEN;
}

/* A hexadecimal number of at most 16 digits that ends with `end`. Moves *at behind that. */
static int take(const char **at, char end, uint64_t *number) {
  uint64_t sum = 0;
  const char *from = *at;
  for (; **at != end; (*at)++) {
    char c = **at;
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0 || *at - from == 16) return 0;
    sum = sum << 4 | (unsigned)digit;
  }
  if (*at == from) return 0;
  if (end != '\0') (*at)++;
  *number = sum;
  return 1;
}

/* "<offset>.<generation>", each of at most 32 bits and not zero. */
static int take_channel(const char *text, sw_token *token) {
  uint64_t channel, generation;
  if (!take(&text, '.', &channel) || !take(&text, '\0', &generation)) return 0;
  token->channel = (uint32_t)channel;
  token->generation = (uint32_t)generation;
  return channel - 1 < UINT32_MAX && generation - 1 < UINT32_MAX;
}

int sw_token_read(sw_token *token, const char *whole, char why[SW_WHY_BYTES]) {
  char text[SW_TOKEN_BYTES];
  if (strlen(whole) >= sizeof(text)) {
    if (strncmp(whole, VERSION, sizeof(VERSION) - 2) != 0) return refuse(why, "it does not begin like a token");
    return refuse(why, "it is too long");
  }
  memcpy(text, whole, strlen(whole) + 1);
  char *channel = strchr(text, '/');
  if (channel != NULL) *channel++ = '\0';
  size_t version = sizeof(VERSION) - 1;
  if (strncmp(text, VERSION, version - 1) != 0) return refuse(why, "it does not begin like a token");
  if (text[version - 1] != VERSION[version - 1] || text[version] != ':') {
    snprintf(why, SW_WHY_BYTES, "it is of another version than %s; run the same version of Sabway on both sides",
             VERSION);
    return SW_ETOKEN;
  }
  const char *last = strrchr(text, ':');
  const char *at = last + 1;
  uint64_t crc, pid;
  if (!take(&at, '\0', &crc) || crc != sw_crc32c(0, text, (size_t)(last - text))) {
    return refuse(why, "its checksum is wrong: part of it is missing or changed");
  }
  *token = (sw_token){0};
  if (channel != NULL && !take_channel(channel, token)) return refuse(why, "the channel behind its '/' is none");
  at = text + version + 1;
  int numbers = take(&at, ':', &pid) && take(&at, ':', &token->start) && take(&at, ':', &token->namespace) &&
                take(&at, ':', &token->handle) && take(&at, ':', &token->size) && take(&at, ':', &token->nonce);
  if (!numbers || pid == 0 || pid > INT32_MAX || at > last || (size_t)(last - at) >= SW_NAME_BYTES) {
    return refuse(why, "its parts are not those of a token");
  }
  token->pid = (uint32_t)pid;
  memcpy(token->name, at, (size_t)(last - at));
  if (token->name[0] != '\0' && !sw_token_name_valid(token->name)) return refuse(why, "the name in it is not valid");
  return SW_OK;
}
