/** What a broker without authorizer, SASL and token key answers; quotas and credentials, which it keeps anyway. */
import { SaslHandshake } from '../../../common/protocol/apis/17-sasl-handshake.ts'
import { DescribeAcls } from '../../../common/protocol/apis/29-describe-acls.ts'
import { CreateAcls } from '../../../common/protocol/apis/30-create-acls.ts'
import { DeleteAcls } from '../../../common/protocol/apis/31-delete-acls.ts'
import { SaslAuthenticate } from '../../../common/protocol/apis/36-sasl-authenticate.ts'
import { CreateDelegationToken } from '../../../common/protocol/apis/38-create-delegation-token.ts'
import { RenewDelegationToken } from '../../../common/protocol/apis/39-renew-delegation-token.ts'
import { ExpireDelegationToken } from '../../../common/protocol/apis/40-expire-delegation-token.ts'
import { DescribeDelegationToken } from '../../../common/protocol/apis/41-describe-delegation-token.ts'
import { DescribeClientQuotas } from '../../../common/protocol/apis/48-describe-client-quotas.ts'
import { AlterClientQuotas } from '../../../common/protocol/apis/49-alter-client-quotas.ts'
import { DescribeUserScramCredentials } from '../../../common/protocol/apis/50-describe-user-scram-credentials.ts'
import { AlterUserScramCredentials } from '../../../common/protocol/apis/51-alter-user-scram-credentials.ts'
import { each, type Scenario, type Step, step } from '../scenario.ts'

const acls: Scenario = {
  name: 'acls',
  steps: (name) =>
    each([1, 2, 3], (version) => [
      step('describe', DescribeAcls, version, {
        resourceTypeFilter: 1,
        resourceNameFilter: null,
        patternTypeFilter: 1,
        principalFilter: null,
        hostFilter: null,
        operation: 1,
        permissionType: 1,
      }),
      step('create', CreateAcls, version, {
        creations: [
          {
            resourceType: 2,
            resourceName: name('a'),
            principal: 'User:a',
            host: '*',
            operation: 3,
            permissionType: 3,
          },
        ],
      }),
      step('create nonsense', CreateAcls, version, {
        creations: [
          { resourceType: 1, resourceName: '', principal: 'a', host: '', operation: 1, permissionType: 1 },
        ],
      }),
      step('delete', DeleteAcls, version, {
        filters: [
          {
            resourceTypeFilter: 2,
            resourceNameFilter: name('a'),
            principalFilter: null,
            hostFilter: null,
            operation: 1,
            permissionType: 1,
          },
        ],
      }),
    ]),
}

const sasl: Scenario = {
  name: 'sasl-and-tokens',
  steps: () => [
    ...each([0, 1], (version) =>
      step('handshake', SaslHandshake, version, { mechanism: 'PLAIN' }, { on: `h${version}` }),
    ),
    ...each([0, 1, 2], (version) =>
      step('authenticate', SaslAuthenticate, version, { authBytes: Buffer.from('x') }, { on: `a${version}` }),
    ),
    ...each([1, 2, 3], (version) => [
      step('create a token', CreateDelegationToken, version, { renewers: [], maxLifetimeMs: -1 }),
      step('describe tokens', DescribeDelegationToken, version, { owners: null }),
    ]),
    ...each([1, 2], (version) => [
      step('renew a token', RenewDelegationToken, version, { hmac: Buffer.from('x'), renewPeriodMs: 1000 }),
      step('expire a token', ExpireDelegationToken, version, {
        hmac: Buffer.from('x'),
        expiryTimePeriodMs: 1000,
      }),
    ]),
  ],
}

const quotas: Scenario = {
  name: 'quotas',
  steps: (name) => {
    const alter = (
      title: string,
      version: number,
      entityType: string,
      entityName: string | null,
      key: string,
      value: number,
      remove = false,
      validateOnly = false,
    ): Step =>
      step(title, AlterClientQuotas, version, {
        entries: [{ entity: [{ entityType, entityName }], ops: [{ key, value, remove }] }],
        validateOnly,
      })
    return [
      ...each([0, 1], (version) => [
        alter('a user', version, 'user', name('u'), 'producer_byte_rate', 1_000_000),
        alter('an unknown key', version, 'user', name('u'), 'nothing_rate', 1),
        alter('an unknown entity', version, 'planet', name('u'), 'producer_byte_rate', 1),
        alter('zero', version, 'user', name('u'), 'consumer_byte_rate', 0),
        alter('a fraction', version, 'user', name('u'), 'producer_byte_rate', 1.5),
        alter('a fraction of a percentage', version, 'user', name('u'), 'request_percentage', 12.5),
        alter('an empty name', version, 'user', '', 'producer_byte_rate', 1),
        alter('a key of ips for users', version, 'user', name('u'), 'connection_creation_rate', 1),
        alter('an ip', version, 'ip', '127.0.0.9', 'connection_creation_rate', 100),
        alter('an ip that is none', version, 'ip', 'not an ip', 'connection_creation_rate', 1),
        step(
          'described',
          DescribeClientQuotas,
          version,
          { components: [{ entityType: 'user', matchType: 0, match: name('u') }], strict: false },
          { until: ({ entries }) => (entries?.length ?? 0) > 0 },
        ),
        step('described strictly', DescribeClientQuotas, version, {
          components: [{ entityType: 'user', matchType: 0, match: name('u') }],
          strict: true,
        }),
        step('an unknown match', DescribeClientQuotas, version, {
          components: [{ entityType: 'user', matchType: 9, match: name('u') }],
          strict: true,
        }),
        step('an unknown entity described', DescribeClientQuotas, version, {
          components: [{ entityType: 'planet', matchType: 0, match: 'x' }],
          strict: true,
        }),
        step('an empty entity described', DescribeClientQuotas, version, {
          components: [{ entityType: '', matchType: 0, match: 'x' }],
          strict: true,
        }),
        step('the same entity twice', DescribeClientQuotas, version, {
          components: [
            { entityType: 'user', matchType: 0, match: 'x' },
            { entityType: 'user', matchType: 0, match: 'y' },
          ],
          strict: true,
        }),
        step('the default described', DescribeClientQuotas, version, {
          components: [{ entityType: 'user', matchType: 1, match: null }],
          strict: true,
        }),
      ]),
      step('user and client', AlterClientQuotas, 1, {
        entries: [
          {
            entity: [
              { entityType: 'user', entityName: name('u') },
              { entityType: 'client-id', entityName: null },
            ],
            ops: [{ key: 'request_percentage', value: 50, remove: false }],
          },
        ],
        validateOnly: false,
      }),
      step('user and ip', AlterClientQuotas, 1, {
        entries: [
          {
            entity: [
              { entityType: 'user', entityName: name('u') },
              { entityType: 'ip', entityName: '127.0.0.1' },
            ],
            ops: [{ key: 'request_percentage', value: 50, remove: false }],
          },
        ],
        validateOnly: false,
      }),
      step('no entity', AlterClientQuotas, 1, { entries: [{ entity: [], ops: [] }], validateOnly: false }),
      step('the same twice', AlterClientQuotas, 1, {
        entries: [
          { entity: [{ entityType: 'user', entityName: 'x' }], ops: [] },
          { entity: [{ entityType: 'user', entityName: 'x' }], ops: [] },
        ],
        validateOnly: true,
      }),
      step(
        'both described',
        DescribeClientQuotas,
        1,
        {
          components: [
            { entityType: 'user', matchType: 0, match: name('u') },
            { entityType: 'client-id', matchType: 2, match: null },
          ],
          strict: false,
        },
        { until: ({ entries }) => (entries?.length ?? 0) > 0 },
      ),
      alter('only a check', 1, 'user', name('v'), 'producer_byte_rate', 1, false, true),
      alter('away', 1, 'user', name('u'), 'producer_byte_rate', 0, true),
      alter('away once more', 1, 'user', name('u'), 'producer_byte_rate', 0, true),
      alter('the ip away', 1, 'ip', '127.0.0.9', 'connection_creation_rate', 0, true),
    ]
  },
}

const scram: Scenario = {
  name: 'scram',
  steps: (name) => {
    const upsert = (
      title: string,
      user: string,
      more: { mechanism?: number; iterations?: number; salt?: Buffer; password?: Buffer } = {},
    ): Step =>
      step(title, AlterUserScramCredentials, 0, {
        deletions: [],
        upsertions: [
          {
            name: user,
            mechanism: more.mechanism ?? 1,
            iterations: more.iterations ?? 4096,
            salt: more.salt ?? Buffer.from('salt'),
            saltedPassword: more.password ?? Buffer.alloc(32, 7),
          },
        ],
      })
    const u = name('u')
    return [
      step('describe nobody', DescribeUserScramCredentials, 0, { users: [{ name: u }] }),
      upsert('add', u),
      upsert('add the other mechanism', u, { mechanism: 2, iterations: 8192 }),
      upsert('an unknown mechanism', u, { mechanism: 7 }),
      upsert('mechanism zero', u, { mechanism: 0 }),
      upsert('too few iterations', u, { iterations: 100 }),
      upsert('too many iterations', u, { iterations: 100_000 }),
      upsert('no salt', u, { salt: Buffer.alloc(0) }),
      upsert('no password', u, { password: Buffer.alloc(0) }),
      upsert('no name', ''),
      step(
        'describe',
        DescribeUserScramCredentials,
        0,
        { users: [{ name: u }, { name: name('nobody') }] },
        {
          until: ({ results }) => results.some((one) => one.credentialInfos.length === 2),
        },
      ),
      step('describe twice the same', DescribeUserScramCredentials, 0, { users: [{ name: u }, { name: u }] }),
      step('describe no name', DescribeUserScramCredentials, 0, { users: [{ name: '' }] }),
      step('delete', AlterUserScramCredentials, 0, {
        deletions: [{ name: u, mechanism: 1 }],
        upsertions: [],
      }),
      step('delete again', AlterUserScramCredentials, 0, {
        deletions: [{ name: u, mechanism: 1 }],
        upsertions: [],
      }),
      step('delete an unknown mechanism', AlterUserScramCredentials, 0, {
        deletions: [{ name: u, mechanism: 0 }],
        upsertions: [],
      }),
      step('delete and add', AlterUserScramCredentials, 0, {
        deletions: [{ name: u, mechanism: 2 }],
        upsertions: [
          {
            name: u,
            mechanism: 2,
            iterations: 4096,
            salt: Buffer.from('s'),
            saltedPassword: Buffer.alloc(64),
          },
        ],
      }),
      step('nothing', AlterUserScramCredentials, 0, { deletions: [], upsertions: [] }),
    ]
  },
}

export const securityScenarios: readonly Scenario[] = [acls, sasl, quotas, scram]
