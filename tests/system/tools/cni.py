#!/usr/bin/env python3
"""What libcni does with a list of plugins, and no more; for driving strake-cni and its neighbours.

Usage: cni.py COMMAND LIST CONTAINER NETNS IFNAME [RUNTIME]

COMMAND is add, del, check, gc or status.  LIST is a file with "cniVersion", "name" and "plugins"; CNI_PATH says where
plugins are.  RUNTIME is a JSON object with runtimeConfig by capability.  NETNS "" is none.  The result of add is kept
beside the list, as LIST.CONTAINER.IFNAME, and given to check and del.  A plugin that fails ends it: its answer is printed,
the exit status is 1.  For gc the environment variable VALID has "CONTAINER/IFNAME ...".
"""
import json
import os
import subprocess
import sys


def run(plugin, command, config, container, netns, ifname):
    env = dict(os.environ, CNI_COMMAND=command.upper())
    env.setdefault("CNI_PATH", "")
    if command in ("add", "del", "check"):
        env.update(CNI_CONTAINERID=container, CNI_IFNAME=ifname, CNI_NETNS=netns)
    for folder in env["CNI_PATH"].split(":"):
        path = os.path.join(folder, plugin["type"])
        if os.access(path, os.X_OK):
            break
    else:
        sys.exit(f"no plugin {plugin['type']}")
    done = subprocess.run([path], input=json.dumps(config), env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(done.stdout, end="")
        sys.exit(1)
    return json.loads(done.stdout) if done.stdout.strip() else None


def main():
    command, name, container, netns, ifname = sys.argv[1:6]
    runtime = json.loads(sys.argv[6]) if len(sys.argv) > 6 else {}
    with open(name, encoding="utf-8") as file:
        network = json.load(file)
    kept = f"{name}.{container}.{ifname}"
    result = None
    if command in ("check", "del") and os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            result = json.load(file)
    plugins = network["plugins"]
    for plugin in reversed(plugins) if command == "del" else plugins:
        config = dict(plugin, name=network["name"], cniVersion=network["cniVersion"])
        able = {key: runtime[key] for key, on in plugin.get("capabilities", {}).items() if on and key in runtime}
        if able:
            config["runtimeConfig"] = able
        if result and command in ("add", "check", "del"):
            config["prevResult"] = result
        if command == "gc":
            pairs = [pair.split("/") for pair in os.environ.get("VALID", "").split()]
            config["cni.dev/valid-attachments"] = [{"containerID": c, "ifname": i} for c, i in pairs]
        answer = run(plugin, command, config, container, netns, ifname)
        if command == "add":
            result = answer
    if command == "add":
        with open(kept, "w", encoding="utf-8") as file:
            json.dump(result, file)
        print(json.dumps(result, indent=2))
    if command == "del" and os.path.exists(kept):
        os.unlink(kept)


main()
