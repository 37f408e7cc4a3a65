// The native workers of one region, as JavaScript starts and stops them.
#ifndef SABWAY_NAPI_WORKER_SET_H
#define SABWAY_NAPI_WORKER_SET_H

#include <napi.h>

#include <atomic>
#include <map>
#include <string>

#include "environment.h"
#include "sabway/side.h"
#include "sabway/worker.h"

class WorkerSet {
 public:
  // ({ side, builtin | plugin, json, wait: enum sw_wait_policy }) -> worker id. The worker takes
  // its side of the channel at `place`, which must stay mapped until it is stopped.
  uint32_t Start(Environment *environment, Napi::Object options, sw_place place);

  // What JavaScript gets last of it is SWI_EVENT_WORKER_JOINED. A worker that is not there is
  // stopped already.
  void Stop(uint32_t id);
  void StopAll();

  // Undefined for a worker that is not there.
  Napi::Value Stats(Napi::Env env, uint32_t id) const;

 private:
  struct Running {
    sw_worker *worker = nullptr;
    void *library = nullptr;
    uint32_t id = 0;
    Environment *environment = nullptr;
    std::atomic<bool> opening{true};  // what it logs until it is open explains why it would not
    std::string words;
  };

  static void Log(void *context, int level, const char *text);
  static void Exited(void *context, int status);
  static int Launch(Running *running, Napi::Object options, sw_place place, std::string *why);
  static void Join(Running *running);

  std::map<uint32_t, Running> running_;
};

#endif
