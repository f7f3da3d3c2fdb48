/**
 * `import()` of a module of somebody else. A file of its own, which the build leaves beside the broker's code: code that V8 had compiled
 * before cannot import (packaging/load-broker.cjs).
 */
export function importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
  return import(/* @vite-ignore */ url)
}
