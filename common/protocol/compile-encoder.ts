/** The encoding half of `compile.ts`. In generated code `w` is the writer, `m` a structure, `p` a position. */
import { defaultLiteral, property } from './compile-literals.ts'
import type { Field, Fields, PrimitiveType } from './schema.ts'
import { fixedSizes, type WireField, type WireShape } from './shape.ts'

export class EncoderSource {
  readonly functions: string[] = []

  /** Adds a function of the writer and the structure; gives its name. */
  structure(shape: WireShape): string {
    const lines = ["if (m === null || typeof m !== 'object') refuseValue(m, 'a structure', 'a structure')"]
    for (const { name, field, isPresent } of shape.all) {
      if (isPresent || field.ignorable) continue
      const refuse = `refuseUnsupportedField(${JSON.stringify(name)}, ${shape.version})`
      lines.push(`if (!(${this.isDefault(field, property('m', name))})) ${refuse}`)
    }
    const run = new WriteRun(lines)
    lines.push('let p')
    for (const [index, wire] of shape.plain.entries()) this.plainField(wire, `f${index}`, lines, run)
    lines.push('const u = m.unknownTaggedFields')
    if (shape.isFlexible) this.taggedSection(shape, lines, run)
    else {
      run.end()
      const refuse = `refuseUnsupportedField('unknownTaggedFields', ${shape.version})`
      lines.push(`if (u !== undefined && u.length > 0) ${refuse}`)
    }
    return this.define('e', 'w, m', lines)
  }

  private define(prefix: string, parameters: string, lines: readonly string[]): string {
    const name = `${prefix}${this.functions.length}`
    this.functions.push(`function ${name}(${parameters}) {\n${lines.join('\n')}\n}`)
    return name
  }

  private plainField(wire: WireField, local: string, lines: string[], run: WriteRun): void {
    const { field, name } = wire
    const value = property('m', name)
    lines.push(
      field.hasExplicitDefault
        ? `let ${local} = ${value}; if (${local} === undefined) ${local} = ${defaultLiteral(field)}`
        : `const ${local} = ${value}`,
    )
    const sizeBytes = field.type === 'array' || field.type === 'struct' ? undefined : fixedSizes[field.type]
    if (sizeBytes !== undefined) {
      run.add(sizeBytes, (at) =>
        fixedWrite(field.type as PrimitiveType, { at, value: local, name, isExact: field.exact }),
      )
    } else {
      run.end()
      lines.push(this.statement(wire, local))
    }
  }

  /** Writes a field of variable size, or a tagged one, on its own. */
  private statement(wire: WireField, value: string): string {
    const { field, name, isCompact, isNullable } = wire
    if (field.type === 'array') return `${this.array(wire)}(w, ${value})`
    if (field.type !== 'struct') {
      return primitiveWrite(field.type, { value, name, isCompact, isNullable, isExact: field.exact })
    }
    const write = `${this.structure(wire.inner as WireShape)}(w, ${value})`
    if (!isNullable) return write
    const [absent, present] =
      field.tag === undefined
        ? [`w.int8(-1, ${JSON.stringify(name)})`, `w.int8(1, ${JSON.stringify(name)})`]
        : ['w.unsignedVarint(0)', 'w.unsignedVarint(1)']
    return `if (${value} === null) ${absent}; else { ${present}; ${write} }`
  }

  /** Adds a function of the writer and the array. */
  private array(wire: WireField): string {
    const name = JSON.stringify(wire.name)
    const count = (value: string, plus: string): string =>
      wire.isCompact ? `w.unsignedVarint(${plus})` : `w.int32(${value}, ${name})`
    const lines = [
      wire.isNullable
        ? `if (a === null) { ${count('-1', '0')}; return }`
        : `if (a === null) refuseNull(${name})`,
      `if (!Array.isArray(a)) refuseValue(a, 'an array', ${name})`,
      count('a.length', 'a.length + 1'),
    ]
    const element = wire.field.element as PrimitiveType | 'struct'
    const sizeBytes = element === 'struct' ? undefined : fixedSizes[element]
    if (element !== 'struct' && sizeBytes !== undefined) {
      const write = fixedWrite(element, { at: 'p', value: 'a[i]', name: wire.name, isExact: false })
      lines.push(
        `let p = w.reserve(a.length * ${sizeBytes})`,
        `for (let i = 0; i < a.length; i++, p += ${sizeBytes}) ${write}`,
      )
    } else {
      const options = {
        value: 'a[i]',
        name: wire.name,
        isCompact: wire.isCompact,
        isNullable: false,
        isExact: false,
      }
      const write =
        element === 'struct'
          ? `${this.structure(wire.inner as WireShape)}(w, a[i])`
          : primitiveWrite(element, options)
      lines.push(`for (let i = 0; i < a.length; i++) ${write}`)
    }
    return this.define('g', 'w, a', lines)
  }

  /** The number of tagged fields joins the run before it; a number above 127, which needs more bytes, retracts it. */
  private taggedSection(shape: WireShape, lines: string[], run: WriteRun): void {
    const counts: string[] = []
    for (const [index, { name, field }] of shape.tagged.entries()) {
      lines.push(`const q${index} = ${property('m', name)}`)
      lines.push(`const b${index} = !(${this.isDefault(field, `q${index}`)})`)
      counts.push(`(b${index} ? 1 : 0)`)
    }
    lines.push(`const t = ${[...counts, '(u === undefined ? 0 : u.length)'].join(' + ')}`)
    run.add(1, (at) => `w.bytes[${at}] = t`)
    run.end()
    lines.push('if (t !== 0) {', 'if (t > 127) { w.retract(1); w.unsignedVarint(t) }')
    lines.push('const s = sortedTaggedFields(u)', 'let i = 0')
    for (const [index, wire] of shape.tagged.entries()) {
      const tag = wire.field.tag as number
      lines.push(
        `if (b${index}) {`,
        `i = writeUnknownTaggedFields(w, s, i, ${tag})`,
        `const k = w.beginTaggedField(${tag})`,
        this.statement(wire, `q${index}`),
        'w.endTaggedField(k)',
        '}',
      )
    }
    lines.push('writeUnknownTaggedFields(w, s, i, Infinity)', '}')
  }

  /** A test that mirrors `isDefault` of `shape.ts`. */
  private isDefault(field: Field, value: string): string {
    if (field.default === null) return `${value} === undefined || ${value} === null`
    if (field.type === 'array' || field.type === 'bytes' || field.type === 'records') {
      return `${value} === undefined || (${value} !== null && ${value}.length === 0)`
    }
    if (field.type === 'struct') {
      const test = this.isDefaultStructure(field.fields as Fields)
      return `${value} === undefined || (${value} !== null && ${test}(${value}))`
    }
    return `${value} === undefined || ${value} === ${defaultLiteral(field)}`
  }

  private isDefaultStructure(fields: Fields): string {
    const tests = Object.entries(fields).map(
      ([name, field]) => `(${this.isDefault(field, property('m', name))})`,
    )
    const known = '(m.unknownTaggedFields === undefined || m.unknownTaggedFields.length === 0)'
    return this.define('z', 'm', [`return ${[known, ...tests].join(' && ')}`])
  }
}

/** Consecutive writes of fixed size: room is made once for all. */
class WriteRun {
  private readonly lines: string[]
  private sizeBytes = 0
  private writes: string[] = []

  constructor(lines: string[]) {
    this.lines = lines
  }

  add(sizeBytes: number, write: (at: string) => string): void {
    this.writes.push(write(this.sizeBytes === 0 ? 'p' : `p + ${this.sizeBytes}`))
    this.sizeBytes += sizeBytes
  }

  end(): void {
    if (this.writes.length === 0) return
    this.lines.push(`p = w.reserve(${this.sizeBytes})`, ...this.writes)
    this.sizeBytes = 0
    this.writes = []
  }
}

interface FixedWrite {
  readonly at: string
  readonly value: string
  readonly name: string
  readonly isExact: boolean
}

function fixedWrite(type: PrimitiveType, { at, value, name, isExact }: FixedWrite): string {
  const method = type === 'int64' && isExact ? 'exactInt64' : type
  return `w.${method}At(${at}, ${value}, ${JSON.stringify(name)})`
}

interface PrimitiveWrite {
  readonly value: string
  readonly name: string
  readonly isCompact: boolean
  readonly isNullable: boolean
  readonly isExact: boolean
}

function primitiveWrite(type: PrimitiveType, write: PrimitiveWrite): string {
  const { value, name, isCompact, isNullable, isExact } = write
  const call = (method: string): string => `w.${method}(${value}, ${JSON.stringify(name)})`
  if (type === 'string' || type === 'bytes' || type === 'records') {
    const kind = type === 'string' ? 'String' : 'Blob'
    if (isCompact) return call(isNullable ? `compactNullable${kind}` : `compact${kind}`)
    return call(isNullable ? `nullable${kind}` : kind.toLowerCase())
  }
  return call(type === 'int64' && isExact ? 'exactInt64' : type)
}
