#include "worker_set.h"

#include "arguments.h"
#include "error.h"

namespace {

// What a worker that would not start should be told beside the error's own text.
std::string WhyNotStarted(int status) {
  if (status == SW_ETAKEN) return "a native worker needs the other side for itself; detach the channel that holds it";
  if (status == SW_ECLOSED) return "the side has ended its stream for good; make a new channel";
  if (status == SW_ECROWDED) return "the native worker is one thread too many; clean up channels no longer used";
  if (status == SW_ESYSTEM) return "the native worker's thread could not be started";
  return "while starting the native worker";
}

}  // namespace

void WorkerSet::Log(void *context, int level, const char *text) {
  auto *running = static_cast<Running *>(context);
  if (running->opening) running->words += (running->words.empty() ? "" : "; ") + std::string(text);
  running->environment->Post({running->id, SWI_EVENT_WORKER_LOG, level, text});
}

void WorkerSet::Exited(void *context, int status) {
  auto *running = static_cast<Running *>(context);
  running->environment->Post({running->id, SWI_EVENT_WORKER_EXITED, status, ""});
}

int WorkerSet::Launch(Running *running, Napi::Object options, sw_place place, std::string *why) {
  const sabway_plugin_v1 *plugin = nullptr;
  // Looked at before a plugin is loaded, because each of these may throw.
  std::string json = options.Get("json").As<Napi::String>();
  place.side = Whole(options.Get("side"), "side", SW_NATIVE);
  uint32_t wait = Whole(options.Get("wait"), "wait", SW_WAIT_PARK);
  if (options.Get("plugin").IsString()) {
    char reason[512] = "";
    std::string path = options.Get("plugin").As<Napi::String>();
    int status = sw_plugin_load(path.c_str(), &running->library, &plugin, reason, sizeof(reason));
    if (status != SW_OK) {
      // the system's words name the file
      *why = status == SW_ENOPLUGIN ? reason : path + ": " + reason;
      return status;
    }
  } else {
    std::string name = options.Get("builtin").As<Napi::String>();
    plugin = sw_handler_find(name.c_str());
    if (plugin == nullptr) {
      *why = "no built-in handler is called '" + name + "'; there are 'echo', 'sink' and 'source'";
      return SW_EINVAL;
    }
  }
  sw_worker_options start = {};
  start.base = place.base;
  start.size = place.size;
  start.channel = place.channel;
  start.generation = place.generation;
  start.side = place.side;
  start.plugin = plugin;
  start.json = json.c_str();
  start.wait = static_cast<sw_wait_policy>(wait);
  start.hooks = {running, Log, Exited};
  int status = sw_worker_start(&running->worker, &start);
  if (status == SW_EOPEN) *why = std::string(plugin->name) + (running->words.empty() ? "" : ": " + running->words);
  if (status != SW_OK && running->library != nullptr) sw_plugin_unload(running->library);
  return status;
}

uint32_t WorkerSet::Start(Environment *environment, Napi::Object options, sw_place place) {
  uint32_t id = Environment::NextId();
  Running &running = running_[id];
  running.id = id;
  running.environment = environment;
  std::string why;
  int status;
  try {
    status = Launch(&running, options, place, &why);
  } catch (...) {
    running_.erase(id);
    throw;
  }
  if (status != SW_OK) {
    running_.erase(id);
    throw MakeError(options.Env(), status, why.empty() ? WhyNotStarted(status) : why);
  }
  running.opening = false;
  return id;
}

void WorkerSet::Join(Running *running) {
  sw_worker_stop(running->worker);
  if (running->library != nullptr) sw_plugin_unload(running->library);
  running->environment->Post({running->id, SWI_EVENT_WORKER_JOINED, SW_OK, ""});
}

void WorkerSet::Stop(uint32_t id) {
  auto found = running_.find(id);
  if (found == running_.end()) return;
  Join(&found->second);
  running_.erase(found);
}

void WorkerSet::StopAll() {
  for (auto &entry : running_) Join(&entry.second);
  running_.clear();
}

Napi::Value WorkerSet::Stats(Napi::Env env, uint32_t id) const {
  auto found = running_.find(id);
  if (found == running_.end()) return env.Undefined();
  sw_worker_stats stats;
  sw_worker_stats_read(found->second.worker, &stats);
  Napi::Object result = Napi::Object::New(env);
  result.Set("received", static_cast<double>(stats.received));
  result.Set("receivedBytes", static_cast<double>(stats.received_bytes));
  result.Set("sent", static_cast<double>(stats.sent));
  result.Set("sentBytes", static_cast<double>(stats.sent_bytes));
  result.Set("parks", static_cast<double>(stats.parks));
  result.Set("wakes", static_cast<double>(stats.wakes));
  result.Set("reach", static_cast<double>(stats.reach));
  result.Set("crc", static_cast<double>(stats.crc));
  return result;
}
