/* The places in the core where an order matters: every call of an atomic operation that is stronger
 * than relaxed, every read-modify-write and every fence, with the labels of the ordering edges that
 * its line names ([R1] ...), or with which a comment right above it begins. */
#ifndef SABWAY_MODEL_SITES_H
#define SABWAY_MODEL_SITES_H

#include "explorer.h"

enum { SITES = 512, LABELS = 128 };

typedef struct site {
  char file[32];   /* without folders */
  bool foundation; /* of the region, the rings or the channel, which every structure stands on */
  int line;
  char function[48];
  char text[128];  /* the line, without indentation and comment */
  char labels[24]; /* "[R1]", or "[F1] [F2]", or nothing */
  bool mutable_as[MODEL_BLIND + 1];
} site;

/* Read `root`/native/core/<name>.c for each name of native/sources.txt. Returns how many sites
 * there are, or -1 with the reason printed: a file cannot be read, or a label is mentioned that no
 * site has. */
int sites_read(const char *root, site *sites);

#endif
