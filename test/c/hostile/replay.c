/* Runs a fuzz target without libFuzzer: replay <corpus folder> [inputs [seed]] runs every file of
 * the folder, and then `inputs` random changes of them. Any compiler can build it, and it costs a
 * second. */
#include <dirent.h>

#include "hostile.h"

enum { MOST_FILES = 4096, MOST_BYTES = 4096 };

typedef struct input {
  uint8_t *bytes;
  size_t size;
} input;

static input corpus[MOST_FILES];
static size_t files;

static void load(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  MUST(file != NULL && files < MOST_FILES);
  input *in = &corpus[files++];
  in->bytes = malloc(MOST_BYTES);
  MUST(in->bytes != NULL);
  in->size = fread(in->bytes, 1, MOST_BYTES, file);
  fclose(file);
}

static void load_all(const char *folder) {
  DIR *all = opendir(folder);
  if (all == NULL) {
    fprintf(stderr, "no folder %s\n", folder);
    exit(2);
  }
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    if (entry->d_name[0] != '.') load(folder, entry->d_name);
  }
  closedir(all);
}

static uint32_t next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 16);
}

/* One of the corpus with some bytes changed and a random tail. */
static size_t change(uint8_t *to, uint64_t *random) {
  size_t size = 0;
  if (files != 0 && next(random) % 4 != 0) {
    const input *from = &corpus[next(random) % files];
    size = from->size < MOST_BYTES - 256 ? from->size : MOST_BYTES - 256;
    memcpy(to, from->bytes, size);
  }
  for (uint32_t tail = next(random) % 256; tail > 0; tail--) {
    uint8_t byte = (uint8_t)next(random);
    to[size++] = next(random) % 2 ? byte : byte % 16;
  }
  for (uint32_t i = next(random) % 8; i > 0 && size > 0; i--) to[next(random) % size] = (uint8_t)next(random);
  return size;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "replay <corpus folder> [inputs [seed]]\n");
    return 2;
  }
  load_all(argv[1]);
  for (size_t i = 0; i < files; i++) LLVMFuzzerTestOneInput(corpus[i].bytes, corpus[i].size);
  unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
  uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1, random = seed * 2654435761u | 1;
  printf("%zu files, then %lu inputs from seed %llu\n", files, count, (unsigned long long)seed);
  fflush(stdout);
  for (unsigned long i = 0; i < count; i++) {
    uint8_t bytes[MOST_BYTES];
    size_t size = change(bytes, &random);
    LLVMFuzzerTestOneInput(bytes, size);
  }
  for (size_t i = 0; i < files; i++) free(corpus[i].bytes);
  return 0;
}
