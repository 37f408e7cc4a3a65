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
}
