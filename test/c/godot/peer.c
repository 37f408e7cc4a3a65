/* The network's side of a queue in a file, which an engine in another process reads and writes
 * meanwhile: peer <file> <bytes of a slot> <version> <messages> <command of the engine ...>
 * The engine sends back each message with its bytes in reverse. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sabway/p2p.h"

enum { SLOTS = 16, PATIENCE = 100 /* seconds */ };

static pid_t engine;

static void fail(const char *what, uint32_t at) {
  fprintf(stderr, "peer: %s, message %u\n", what, at);
  if (engine > 0) kill(engine, SIGKILL);
  exit(1);
}

static void on_alarm(int signal_number) {
  (void)signal_number;
  kill(engine, SIGKILL);
  _exit(3);
}

/* Every length that a slot has room for comes, the ends first. */
static uint32_t length_of(uint32_t n, uint32_t most) { return n % 2 == 0 ? n % (most + 1) : most - n % (most + 1); }

static uint8_t byte_of(uint32_t n, uint32_t i) { return (uint8_t)(n * 7 + i * 3 + (i >> 8)); }

static void must_be_reverse(const sw_p2p_message *message, uint32_t n, uint32_t most) {
  char from[SW_P2P_FROM] = {0};
  snprintf(from, sizeof(from), "peer-%u", n);
  if (memcmp(message->from, from, sizeof(from)) != 0 || message->channel != n) fail("another id or channel", n);
  if (message->length != length_of(n, most)) fail("another length", n);
  for (uint32_t i = 0; i < message->length; i++)
    if (message->data[i] != byte_of(n, message->length - 1 - i)) fail("other data", n);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  sw_p2p_options options = {SLOTS, (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]), 0};
  uint32_t count = (uint32_t)atoi(argv[4]), most = sw_p2p_most(&options);
  uint64_t bytes = sw_p2p_bytes(&options);
  int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ftruncate(file, (off_t)bytes) != 0) return 2;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED || sw_p2p_format(memory, bytes, &options) != SW_OK) return 2;
  sw_p2p_writer writer;
  sw_p2p_reader reader;
  if (sw_p2p_open_writer(&writer, memory, bytes, &options, SW_P2P_INCOMING) != SW_OK) return 2;
  if (sw_p2p_open_reader(&reader, memory, bytes, &options, SW_P2P_OUTGOING) != SW_OK) return 2;

  engine = fork();
  if (engine == 0) {
    execvp(argv[5], argv + 5);
    _exit(127);
  }
  signal(SIGALRM, on_alarm);
  alarm(PATIENCE);

  uint32_t written = 0, seen = 0;
  while (seen < count) {
    static uint8_t data[SW_P2P_SLOT_LARGE];
    char from[SW_P2P_FROM];
    uint32_t before = written + seen, length = length_of(written, most);
    for (uint32_t i = 0; i < length; i++) data[i] = byte_of(written, i);
    int id = snprintf(from, sizeof(from), "peer-%u", written);
    if (written < count && sw_p2p_room(&writer) > 0) {
      if (sw_p2p_write(&writer, from, (uint32_t)id, written, 1, data, length) != SW_OK) fail("not written", written);
      written++;
    }
    sw_p2p_message message;
    if (sw_p2p_peek(&reader, &message)) {
      must_be_reverse(&message, seen++, most);
      sw_p2p_consume(&reader);
    }
    if (before != written + seen) continue;
    sw_p2p_writer_repair(&writer);
    sw_p2p_reader_repair(&reader);
    if (waitpid(engine, NULL, WNOHANG) == engine) fail("the engine has ended", seen);
    usleep(200);
  }
  int status;
  if (waitpid(engine, &status, 0) != engine || status != 0) fail("the engine has failed", seen);
  if (reader.skipped + reader.side.bad + writer.side.bad != 0) fail("indices or sizes that cannot be right", seen);
  printf("peer: %u messages there and back\n", seen);
  return 0;
}
