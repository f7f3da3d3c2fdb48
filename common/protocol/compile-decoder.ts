/** The decoding half of `compile.ts`. In generated code `r` is the reader, `p` a position, `v` a view. */
import { defaultLiteral, structureLiteral } from './compile-literals.ts'
import type { PrimitiveType } from './schema.ts'
import { fixedSizes, type WireField, type WireShape } from './shape.ts'

export class DecoderSource {
  readonly functions: string[] = []

  /** Adds a function of the reader that returns the structure; gives its name. */
  structure(shape: WireShape): string {
    const lines: string[] = []
    const run = new ReadRun(lines)
    const locals = new Map(shape.all.map((wire, index) => [wire, `f${index}`]))
    const local = (wire: WireField): string => locals.get(wire) as string
    for (const wire of shape.plain) this.plainField(wire, local(wire), lines, run)
    if (shape.isFlexible) {
      run.add(1, (at) => `const t = r.bytes[${at}]`)
      run.end()
      for (const wire of shape.tagged) lines.push(`let ${local(wire)} = ${defaultLiteral(wire.field)}`)
      lines.push('let u', ...this.taggedSection(shape, local))
    } else run.end()

    const literal = structureLiteral(
      Object.fromEntries(shape.all.map((wire) => [wire.name, wire])),
      (wire: WireField) => (wire.isPresent ? local(wire) : defaultLiteral(wire.field)),
    )
    lines.push(`const m = ${literal}`)
    if (shape.isFlexible) lines.push('if (u !== undefined) m.unknownTaggedFields = u')
    return this.define('d', 'r', ['let p, v', ...lines, 'return m'])
  }

  private define(prefix: string, parameters: string, lines: readonly string[]): string {
    const name = `${prefix}${this.functions.length}`
    this.functions.push(`function ${name}(${parameters}) {\n${lines.join('\n')}\n}`)
    return name
  }

  /** Lengths of fixed size join the run before them. */
  private plainField(wire: WireField, target: string, lines: string[], run: ReadRun): void {
    const { field, name } = wire
    const sizeBytes = field.type === 'array' || field.type === 'struct' ? undefined : fixedSizes[field.type]
    if (sizeBytes !== undefined) {
      const type = field.type as PrimitiveType
      run.add(sizeBytes, (at) => `const ${target} = ${fixedRead(type, at, field.exact)}`)
      return
    }
    if (field.type === 'struct' || wire.isCompact) {
      run.end()
      lines.push(`const ${target} = ${this.expression(wire)}`)
      return
    }
    const length = `n${target}`
    run.add(field.type === 'string' ? 2 : 4, (at) => {
      return `const ${length} = ${field.type === 'string' ? `v.getInt16(${at})` : `v.getInt32(${at})`}`
    })
    run.end()
    if (field.type === 'array') lines.push(`const ${target} = ${this.array(wire)}(r, ${length})`)
    else {
      const read = field.type === 'string' ? 'text' : 'blob'
      const orNull = wire.isNullable ? 'null' : `r.present(${length}, ${JSON.stringify(name)})`
      lines.push(`const ${target} = ${length} < 0 ? ${orNull} : r.${read}(${length})`)
    }
  }

  /** A whole field read on its own. */
  private expression(wire: WireField): string {
    const { field, name, isCompact, isNullable } = wire
    if (field.type === 'array')
      return `${this.array(wire)}(r, ${isCompact ? 'r.compactLength()' : 'r.int32()'})`
    if (field.type === 'struct') {
      const read = `${this.structure(wire.inner as WireShape)}(r)`
      if (!isNullable) return read
      return `${field.tag === undefined ? 'r.int8() < 0' : 'r.unsignedVarint() <= 0'} ? null : ${read}`
    }
    return primitiveRead(field.type, { name, isCompact, isNullable, isExact: field.exact })
  }

  /** Adds a function of the reader and the count that returns the array or null. */
  private array(wire: WireField): string {
    const name = JSON.stringify(wire.name)
    const lines = [
      wire.isNullable ? 'if (n < 0) return null' : `if (n < 0) r.present(n, ${name})`,
      'const a = []',
    ]
    const element = wire.field.element as PrimitiveType | 'struct'
    const sizeBytes = element === 'struct' ? undefined : fixedSizes[element]
    if (element !== 'struct' && sizeBytes !== undefined) {
      const read = fixedRead(element, 'p', wire.field.exact)
      lines.push(
        `let p = r.take(n * ${sizeBytes})`,
        'const v = r.view',
        `for (let i = 0; i < n; i++, p += ${sizeBytes}) a.push(${read})`,
      )
    } else {
      const options = { name: wire.name, isCompact: wire.isCompact, isNullable: false, isExact: false }
      const read =
        element === 'struct'
          ? `${this.structure(wire.inner as WireShape)}(r)`
          : primitiveRead(element, options)
      lines.push(
        `r.checkCount(n, ${wire.elementBytes}, ${name})`,
        `for (let i = 0; i < n; i++) a.push(${read})`,
      )
    }
    return this.define('a', 'r, n', [...lines, 'return a'])
  }

  /** `t` is the first byte of the section: almost always 0, the number of tagged fields. */
  private taggedSection(shape: WireShape, local: (wire: WireField) => string): string[] {
    const cases = shape.tagged.map(
      (wire) => `case ${wire.field.tag}: ${local(wire)} = ${this.expression(wire)}; break`,
    )
    return [
      'if (t !== 0) {',
      'r.position--',
      ...(cases.length === 0
        ? ['u = r.unknownTaggedFields()']
        : [
            'const n = r.unsignedVarint()',
            'for (let i = 0; i < n; i++) {',
            'const tag = r.unsignedVarint(), size = r.unsignedVarint()',
            'switch (tag) {',
            ...cases,
            'default: u = r.unknownTaggedField(u, tag, size)',
            '}',
            '}',
          ]),
      '}',
    ]
  }
}

/** Consecutive reads of fixed size: one bounds check for all. */
class ReadRun {
  private readonly lines: string[]
  private sizeBytes = 0
  private reads: string[] = []

  constructor(lines: string[]) {
    this.lines = lines
  }

  add(sizeBytes: number, read: (at: string) => string): void {
    this.reads.push(read(this.sizeBytes === 0 ? 'p' : `p + ${this.sizeBytes}`))
    this.sizeBytes += sizeBytes
  }

  end(): void {
    if (this.reads.length === 0) return
    this.lines.push(`p = r.take(${this.sizeBytes}); v = r.view`, ...this.reads)
    this.sizeBytes = 0
    this.reads = []
  }
}

function fixedRead(type: PrimitiveType, at: string, isExact: boolean): string {
  switch (type) {
    case 'bool':
      return `v.getInt8(${at}) !== 0`
    case 'int64':
      return isExact ? `v.getBigInt64(${at})` : `v.getInt32(${at}) * 4294967296 + v.getUint32(${at} + 4)`
    case 'uuid':
      return `r.uuidAt(${at})`
    default:
      return `v.get${type[0]?.toUpperCase()}${type.slice(1)}(${at})`
  }
}

interface PrimitiveRead {
  readonly name: string
  readonly isCompact: boolean
  readonly isNullable: boolean
  readonly isExact: boolean
}

function primitiveRead(type: PrimitiveType, { name, isCompact, isNullable, isExact }: PrimitiveRead): string {
  const field = JSON.stringify(name)
  if (type === 'string') {
    if (isNullable) return isCompact ? 'r.compactNullableString()' : 'r.nullableString()'
    return `r.${isCompact ? 'compactString' : 'string'}(${field})`
  }
  if (type === 'bytes' || type === 'records') {
    const length = isCompact ? 'r.compactLength()' : 'r.int32()'
    return isNullable ? `r.blobOrNull(${length})` : `r.blob(r.present(${length}, ${field}))`
  }
  return type === 'int64' && isExact ? 'r.exactInt64()' : `r.${type}()`
}
