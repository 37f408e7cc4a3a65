{
  "target_defaults": {
    "cflags": ["-O3", "-Wall", "-Wextra", "-fvisibility=hidden"],
    "cflags_c": ["-std=c11", "-Werror=implicit-function-declaration"],
    "cflags_cc": ["-std=c++17"],
    "include_dirs": ["native", "native/include"],
  },
  "targets": [
    {
      "target_name": "sabway",
      "sources": [
        "<!@(node -p \"require('fs').readFileSync('native/sources.txt','utf8').trim().split('\\n').map(f=>'native/'+f).join(' ')\")",
        "native/napi/addon.cc",
        "native/napi/core_handles.c",
        "native/napi/direct_core.c",
        "native/napi/environment.cc",
        "native/napi/environment_listener.cc",
        "native/napi/region_binding.cc",
        "native/napi/shared_memory.cc",
        "native/napi/worker_set.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "lib/generated"],
      # The last one: an error that a terminating environment cannot take must not end the process.
      "defines": [
        "NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      ],
      "cflags_cc!": ["-fno-exceptions"],
      "conditions": [
        ["OS=='linux'", {
          "sources": ["native/prim/linux/linux.c", "native/prim/linux/memory.c", "native/prim/posix.c"],
          "libraries": ["-lpthread", "-ldl", "-lrt"],
        }],
        ["OS=='mac'", {
          "sources": ["native/prim/macos.c", "native/prim/posix.c"],
          "xcode_settings": {"GCC_ENABLE_CPP_EXCEPTIONS": "YES", "MACOSX_DEPLOYMENT_TARGET": "11.0"},
        }],
        ["OS=='win'", {
          "sources": ["native/prim/windows.c"],
          "msbuild_toolset": "ClangCL",
          "msvs_settings": {"VCCLCompilerTool": {"ExceptionHandling": 1}},
        }],
      ],
    },
  ],
  "conditions": [
    # Only in the repository: a baseline of the benchmark and of `npm start`. Not called .node,
    # because node-gyp-build would take it for Sabway's addon when that one is not there (yet).
    ["'<!(node -p \"require('fs').existsSync('bench/baselines/tsfn_baseline.c')\")'=='true'", {
      "targets": [
        {
          "target_name": "tsfn_baseline",
          "target_conditions": [["1==1", {"product_extension": "addon"}]],
          "sources": ["bench/baselines/tsfn_baseline.c", "native/util/crc32c.c", "native/core/checksum/crc32c.c"],
          "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
        },
      ],
    }],
    # Likewise: memory of an addon's own, for test/js/region/buffers.test.ts.
    ["'<!(node -p \"require('fs').existsSync('test/js/addons/external_buffer.c')\")'=='true'", {
      "targets": [
        {
          "target_name": "external_buffer",
          "target_conditions": [["1==1", {"product_extension": "addon"}]],
          "sources": ["test/js/addons/external_buffer.c"],
          "defines": ["NAPI_VERSION=8"],
          "conditions": [["OS=='linux'", {"libraries": ["-ldl"]}]],
        },
      ],
    }],
    # Likewise: the native core for test/differential, which changes from it to the wasm core and
    # back between two calls.
    ["'<!(node -p \"require('fs').existsSync('test/differential/native_core.c')\")'=='true'", {
      "targets": [
        {
          "target_name": "native_core",
          "target_conditions": [["1==1", {"product_extension": "addon"}]],
          "include_dirs": ["lib/generated"],
          "sources": [
            "<!@(node -p \"require('fs').readFileSync('native/sources.txt','utf8').trim().split('\\n').filter(f=>f.startsWith('core/')).map(f=>'native/'+f).join(' ')\")",
            "native/prim/wake.c",
            "native/napi/core_handles.c",
            "native/napi/direct_core.c",
            "test/differential/native_core.c",
            "test/differential/native_objects.c",
          ],
          "defines": ["NAPI_VERSION=8", "SWI_HANDLES_IN_REGION"],
          "conditions": [
            ["OS=='linux'", {"sources": ["native/prim/linux/linux.c", "native/prim/posix.c"], "libraries": ["-lpthread", "-ldl"]}],
            ["OS=='mac'", {"sources": ["native/prim/macos.c", "native/prim/posix.c"]}],
            ["OS=='win'", {"sources": ["native/prim/windows.c"], "msbuild_toolset": "ClangCL"}],
          ],
        },
      ],
    }],
  ],
}
