{
  "target_defaults": {
    "cflags": ["-O3", "-Wall", "-Wextra", "-fvisibility=hidden"],
    "cflags_c": ["-std=c11"],
    "cflags_cc": ["-std=c++17"],
    "include_dirs": ["native", "native/include"],
  },
  "targets": [
    {
      "target_name": "sabway",
      "sources": [
        "<!@(node -p \"require('fs').readFileSync('native/sources.txt','utf8').trim().split('\\n').map(f=>'native/'+f).join(' ')\")",
        "native/napi/addon.cc",
        "native/napi/environment.cc",
        "native/napi/region.cc",
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags_cc!": ["-fno-exceptions"],
      "conditions": [
        ["OS=='linux'", {"sources": ["native/prim/linux.c"], "libraries": ["-lpthread", "-ldl"]}],
        ["OS=='mac'", {
          "sources": ["native/prim/macos.c"],
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
    # Only in the repository: what the benchmark and `npm start` measure against. Its name sorts behind sabway.node,
    # because node-gyp-build takes the first .node file that it finds.
    ["'<!(node -p \"require('fs').existsSync('test/bench/peers/tsfn_peer.c')\")'=='true'", {
      "targets": [
        {
          "target_name": "tsfn_peer",
          "sources": ["test/bench/peers/tsfn_peer.c", "native/worker/crc32c.c"],
          "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
        },
      ],
    }],
  ],
}
