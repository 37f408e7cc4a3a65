/* Every scenario over the real core, walked to the end. Arguments: parts of the names of the
 * scenarios to run. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scenes.h"

static double now(void) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int run(const model_scenario *scenario, enum model_mode mode) {
  model_options options = {.mode = mode};
  model_result result;
  double begin = now();
  model_explore(scenario, &options, &result);
  const char *verdict = result.failed ? "FAILED" : result.exhausted ? "exhausted" : "FAILED, out of budget";
  if (!result.failed && (result.marks & scenario->marks) != scenario->marks) verdict = "FAILED, not all marks seen";
  printf("%-58s %-4s %9llu runs %9llu pruned %6.2f s  %s\n", scenario->name, mode == MODEL_SC ? "sc" : "weak",
         (unsigned long long)result.runs, (unsigned long long)result.pruned, now() - begin, verdict);
  if (result.failed) printf("    %s\n", result.why);
  fflush(stdout);
  return strcmp(verdict, "exhausted") != 0;
}

static int wanted(const char *name, int count, char **parts) {
  for (int i = 1; i < count; i++) {
    if (strstr(name, parts[i]) != NULL) return 1;
  }
  return count < 2;
}

int main(int count, char **parts) {
  int failed = 0, scenarios = 0;
  for (int i = 0; scenes_all[i] != NULL; i++) {
    for (const model_scenario *s = scenes_all[i]; s->name != NULL; s++) {
      if (!wanted(s->name, count, parts)) continue;
      if (!s->huge || count > 1) {
        failed += run(s, MODEL_WEAK);
        scenarios++;
      }
      if (!s->sc) continue;
      failed += run(s, MODEL_SC);
      scenarios++;
    }
  }
  printf("%d of %d explored to the end without a fault\n", scenarios - failed, scenarios);
  return failed != 0;
}
