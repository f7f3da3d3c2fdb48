/**
 * The words in which configuration properties are described. A property is data: type, bounds, default, side, fate. The
 * tables (`connection-properties.ts` and its neighbours) are the documentation, the validation and the TypeScript types.
 */
export type Side = 'both' | 'producer' | 'consumer'

export type PropertyType =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'boolean'
  | 'word'
  | 'words'
  | 'list'
  | 'callback'
  | 'object'

declare const types: unique symbol

export interface Property<Value = unknown, Input = unknown> {
  readonly [types]?: { readonly value: Value; readonly input: Input }
  readonly type: PropertyType
  readonly side: Side
  readonly aliases: readonly string[]
  readonly default: unknown
  readonly min: number
  readonly max: number
  /** Words and their synonyms: each list begins with the word that stands for all. */
  readonly words: readonly (readonly string[])[]
  /** Numbers that may also be written as a word: `acks=all`. */
  readonly named: Readonly<Record<string, number>>
  /** Functions that may stand in the place of the text: a partitioner. */
  readonly mayBeFunction: boolean
  /** What else a word may look like. */
  readonly pattern: RegExp | undefined
  /** Set for properties that are accepted and change nothing: says why. */
  readonly withoutEffect: string | undefined
}

export type ValueOf<P extends Property> = NonNullable<P[typeof types]>['value']
export type InputOf<P extends Property> = NonNullable<P[typeof types]>['input']

interface Common {
  readonly side?: Side
  /** Words that are more than a list can hold. */
  readonly pattern?: RegExp
  readonly aliases?: readonly string[]
  readonly withoutEffect?: string
}

interface Described extends Common {
  readonly type: PropertyType
  readonly default?: unknown
  readonly min?: number
  readonly max?: number
  readonly words?: readonly (readonly string[])[]
  readonly named?: Readonly<Record<string, number>>
  readonly mayBeFunction?: boolean
}

function property(given: Described): Property {
  return {
    type: given.type,
    side: given.side ?? 'both',
    aliases: given.aliases ?? [],
    default: given.default,
    min: given.min ?? Number.NEGATIVE_INFINITY,
    max: given.max ?? Number.POSITIVE_INFINITY,
    words: given.words ?? [],
    named: given.named ?? {},
    mayBeFunction: given.mayBeFunction ?? false,
    pattern: given.pattern,
    withoutEffect: given.withoutEffect,
  }
}

type NumberInput = number | bigint | string
type Text = Property<string | undefined, string>

/** Empty text counts as not set where it has no default. */
export function text(options?: Common & { readonly default?: undefined }): Text
export function text(options: Common & { readonly default: string }): Property<string, string>
export function text(options: Common & { readonly default?: string | undefined } = {}): Property {
  return property({ ...options, type: 'text' })
}

export function integer(
  min: number,
  max: number,
  fallback: number,
  options: Common & { readonly named?: Readonly<Record<string, number>> } = {},
): Property<number, NumberInput> {
  return property({ ...options, type: 'integer', min, max, default: fallback }) as Property<
    number,
    NumberInput
  >
}

export function decimal(
  min: number,
  max: number,
  fallback: number,
  options: Common = {},
): Property<number, NumberInput> {
  return property({ ...options, type: 'decimal', min, max, default: fallback }) as Property<
    number,
    NumberInput
  >
}

export function boolean(
  fallback: boolean,
  options: Common = {},
): Property<boolean, boolean | string | number> {
  return property({ ...options, type: 'boolean', default: fallback }) as Property<
    boolean,
    boolean | string | number
  >
}

type Word<W> = W extends readonly [infer First extends string, ...string[]] ? First : W

/** One of some words, in any case. A list stands for synonyms. */
export function word<
  const W extends readonly (string | readonly [string, ...string[]])[],
  const D extends string,
>(words: W, fallback: D, options: Common = {}): Property<Word<W[number]>, string> {
  const lists = words.map((entry) => (typeof entry === 'string' ? [entry] : entry))
  return property({ ...options, type: 'word', words: lists, default: fallback }) as Property<
    Word<W[number]>,
    string
  >
}

/** Any of some words, comma separated. */
export function words(
  known: readonly string[],
  options: Common = {},
): Property<readonly string[], string | readonly string[]> {
  const lists = known.map((entry) => [entry])
  return property({ ...options, type: 'words', words: lists, default: [] }) as ReturnType<typeof words>
}

/** Comma separated; free words unless some are known. */
export function list(
  fallback: readonly string[] = [],
  options: Common & { readonly words?: readonly (readonly string[])[] } = {},
): Property<readonly string[], string | readonly string[]> {
  return property({ ...options, type: 'list', default: fallback }) as ReturnType<typeof list>
}

// biome-ignore lint/suspicious/noExplicitAny: any function type may be asked for; the value is checked to be callable
export function callback<F extends (...args: any[]) => unknown>(
  side: Side = 'both',
): Property<F | undefined, F> {
  return property({ type: 'callback', side }) as Property<F | undefined, F>
}

export function object<T>(side: Side = 'both'): Property<T | undefined, T> {
  return property({ type: 'object', side }) as Property<T | undefined, T>
}

/** A text whose place a function may take. */
export function wordOrFunction<F, const W extends readonly string[]>(
  known: W,
  fallback: W[number],
  side: Side,
): Property<W[number] | F, string | F> {
  const lists = known.map((entry) => [entry])
  const described = { type: 'word', side, words: lists, default: fallback, mayBeFunction: true } as const
  return property(described) as Property<W[number] | F, string | F>
}
