import Module, { createRequire } from "node:module";

const name = "@npmcli/arborist";

// Pulumi's SDK loads npm's reader of dependency trees with all that it needs, and uses it only to serialize functions, which no
// policy does. It takes a quarter of the pack's start. So it is loaded when it is asked for, which must be said before the SDK is
// loaded: import this first. Where the SDK does without it, nothing is changed.
try {
  const { cache, resolve } = createRequire(require.resolve("@pulumi/pulumi"));
  const file = resolve(name);
  const onDemand = new Module(file);
  onDemand.filename = file;
  onDemand.loaded = true;
  onDemand.exports = {
    // Else the SDK would copy every export on loading.
    __esModule: true,
    get Arborist(): unknown {
      if (cache[file] === onDemand) Reflect.deleteProperty(cache, file);
      return (onDemand.require(file) as { Arborist: unknown }).Arborist;
    },
  };
  cache[file] ??= onDemand;
} catch {
  // Not installed, so nothing loads it.
}
