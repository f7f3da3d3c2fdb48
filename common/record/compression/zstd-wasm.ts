/**
 * The Zstandard library as a WebAssembly module, instantiated synchronously. The package's own `init` is asynchronous
 * and its `decompress` trusts the content size a frame declares; so we instantiate it through its hook and call the C
 * functions. Reading the code of a package is module loading, like `require`: it is not the broker's file access, and
 * the file system port has no business with it.
 */
import { createRequire } from 'node:module'

export interface ZstdModule {
  readonly HEAPU8: Uint8Array
  _malloc(sizeBytes: number): number
  _free(address: number): void
  _ZSTD_compressBound(sizeBytes: number): number
  _ZSTD_compress(output: number, capacity: number, source: number, sizeBytes: number, level: number): number
  _ZSTD_decompress(output: number, capacity: number, source: number, sizeBytes: number): number
}

/** The part of WebAssembly that is needed; its types belong to the DOM library. */
interface WebAssemblyApi {
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => object
}

interface EmscriptenModule extends ZstdModule {
  instantiateWasm?: (imports: object, receive: (instance: object) => void) => object
  init(): void
}

let loaded: EmscriptenModule | undefined

export function loadZstdModule(): ZstdModule {
  if (loaded !== undefined) return loaded
  const require = createRequire(import.meta.url)
  const { readFileSync } = require('node:fs') as { readFileSync: (path: string) => Uint8Array }
  const folder = require.resolve('@bokuweb/zstd-wasm').replace(/index\.node\.js$/, '')
  const { Module } = require(`${folder}module.js`) as { Module: EmscriptenModule }
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi }
  Module.instantiateWasm = (imports, receive) => {
    const instance = new WebAssembly.Instance(
      new WebAssembly.Module(readFileSync(`${folder}zstd.wasm`)),
      imports,
    )
    receive(instance)
    return instance
  }
  Module.init()
  loaded = Module
  return Module
}
