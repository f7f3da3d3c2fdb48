/** Both group protocols, from the first member to the deleted group. */
import { OffsetCommit } from '../../../common/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../../common/protocol/apis/09-offset-fetch.ts'
import { JoinGroup } from '../../../common/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../../common/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../../common/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../../common/protocol/apis/14-sync-group.ts'
import { DescribeGroups } from '../../../common/protocol/apis/15-describe-groups.ts'
import { ListGroups } from '../../../common/protocol/apis/16-list-groups.ts'
import { DeleteGroups } from '../../../common/protocol/apis/42-delete-groups.ts'
import { OffsetDelete } from '../../../common/protocol/apis/47-offset-delete.ts'
import { ConsumerGroupHeartbeat } from '../../../common/protocol/apis/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribe } from '../../../common/protocol/apis/69-consumer-group-describe.ts'
import type { RequestInputOf } from '../../../common/protocol/schema.ts'
import { collect, each, type Saved, type Scenario, type Step, step } from '../scenario.ts'
import { groupCoordinator, topic } from '../support.ts'

type Join = RequestInputOf<typeof JoinGroup>

/** A consumer's subscription of version 1 to one topic. */
function subscription(topicName: string): Buffer {
  const name = Buffer.from(topicName)
  const bytes = Buffer.alloc(2 + 4 + 2 + name.length + 4 + 4)
  bytes.writeInt16BE(1, 0)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(name.length, 6)
  name.copy(bytes, 8)
  bytes.writeInt32BE(-1, 8 + name.length)
  return bytes
}

function joining(groupId: string, memberId: string, more: Partial<Join> = {}): Join {
  return {
    groupId,
    memberId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('t') }],
    ...more,
  }
}

const classicLife: Scenario = {
  name: 'classic-group',
  steps: (name) => {
    const life = (version: number): Step[] => {
      const g = name(`g${version}`)
      const member = (saved: Saved): string => saved.text(`member${version}`)
      const save = (answer: { memberId: string; generationId: number }): Record<string, unknown> => ({
        [`member${version}`]: answer.memberId,
        [`generation${version}`]: answer.generationId,
      })
      const generation = (saved: Saved): number => saved.number(`generation${version}`)
      const at = (highest: number): number => Math.min(version, highest)
      return [
        ...groupCoordinator(g),
        step('join', JoinGroup, version, joining(g, ''), { save }),
        ...(version >= 4
          ? [step('join with the id', JoinGroup, version, (saved) => joining(g, member(saved)), { save })]
          : []),
        step('heartbeat before sync', Heartbeat, at(4), (saved) => ({
          groupId: g,
          generationId: generation(saved),
          memberId: member(saved),
        })),
        step('sync', SyncGroup, at(5), (saved) => ({
          groupId: g,
          generationId: generation(saved),
          memberId: member(saved),
          protocolType: 'consumer',
          protocolName: 'range',
          assignments: [{ memberId: member(saved), assignment: Buffer.from('mine') }],
        })),
        step(`sync again, joined by ${version}`, SyncGroup, at(5), (saved) => ({
          groupId: g,
          generationId: generation(saved),
          memberId: member(saved),
          protocolType: 'consumer',
          protocolName: 'range',
          assignments: [],
        })),
        step(`heartbeat, joined by ${version}`, Heartbeat, at(4), (saved) => ({
          groupId: g,
          generationId: generation(saved),
          memberId: member(saved),
        })),
        step(`heartbeat of another generation, joined by ${version}`, Heartbeat, at(4), (saved) => ({
          groupId: g,
          generationId: generation(saved) + 1,
          memberId: member(saved),
        })),
        step(`heartbeat of a stranger, joined by ${version}`, Heartbeat, at(4), (saved) => ({
          groupId: g,
          generationId: generation(saved),
          memberId: 'stranger',
        })),
        step(`describe, joined by ${version}`, DescribeGroups, at(6), { groups: [g] }),
        step(`commit, joined by ${version}`, OffsetCommit, Math.max(2, at(9)), (saved) => ({
          groupId: g,
          generationIdOrMemberEpoch: generation(saved),
          memberId: member(saved),
          topics: [
            {
              name: name('t'),
              partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm' }],
            },
          ],
        })),
        step(
          `commit of another generation, joined by ${version}`,
          OffsetCommit,
          Math.max(2, at(9)),
          (saved) => ({
            groupId: g,
            generationIdOrMemberEpoch: generation(saved) + 4,
            memberId: member(saved),
            topics: [
              {
                name: name('t'),
                partitions: [{ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm' }],
              },
            ],
          }),
        ),
        step(`delete while alive, joined by ${version}`, DeleteGroups, at(2), { groupsNames: [g] }),
        step(`offset delete while subscribed, joined by ${version}`, OffsetDelete, 0, {
          groupId: g,
          topics: [{ name: name('t'), partitions: [{ partitionIndex: 0 }] }],
        }),
        step(
          `rejoin unchanged, joined by ${version}`,
          JoinGroup,
          version,
          (saved) => joining(g, member(saved)),
          { save },
        ),
        step(`leave, joined by ${version}`, LeaveGroup, at(5), (saved) =>
          at(5) < 3
            ? { groupId: g, memberId: member(saved) }
            : { groupId: g, members: [{ memberId: member(saved) }, { memberId: 'stranger' }] },
        ),
        step(`leave again, joined by ${version}`, LeaveGroup, at(5), (saved) =>
          at(5) < 3
            ? { groupId: g, memberId: member(saved) }
            : { groupId: g, members: [{ memberId: member(saved) }] },
        ),
        step(`describe when empty, joined by ${version}`, DescribeGroups, at(6), { groups: [g] }),
        step(`delete, joined by ${version}`, DeleteGroups, at(2), { groupsNames: [g] }),
        step(`describe when gone, joined by ${version}`, DescribeGroups, at(6), { groups: [g] }),
        step(`delete when gone, joined by ${version}`, DeleteGroups, at(2), { groupsNames: [g] }),
      ]
    }
    return [...topic(name('t')), ...each([0, 2, 3, 5, 7, 9], life)]
  },
}

const classicErrors: Scenario = {
  name: 'classic-errors',
  steps: (name) => {
    const g = name('g')
    return [
      ...groupCoordinator(g),
      ...each([0, 4, 9], (version) => [
        step('join the empty group', JoinGroup, version, joining('', '')),
        step('a session too short', JoinGroup, version, joining(g, '', { sessionTimeoutMs: 10 })),
        step('a session too long', JoinGroup, version, joining(g, '', { sessionTimeoutMs: 100_000_000 })),
        step('no protocols', JoinGroup, version, joining(g, '', { protocols: [] })),
        step('no protocol type', JoinGroup, version, joining(g, '', { protocolType: '' })),
        step('join as a stranger', JoinGroup, version, joining(g, 'stranger')),
        step('heartbeat in no group', Heartbeat, Math.min(version, 4), {
          groupId: g,
          generationId: 1,
          memberId: 'x',
        }),
        step('sync in no group', SyncGroup, Math.min(version, 4), {
          groupId: g,
          generationId: 1,
          memberId: 'x',
          assignments: [],
        }),
        step('heartbeat in the empty group', Heartbeat, Math.min(version, 4), {
          groupId: '',
          generationId: 1,
          memberId: 'x',
        }),
        step(
          'leave no group',
          LeaveGroup,
          Math.min(version, 5),
          version < 3 ? { groupId: g, memberId: 'x' } : { groupId: g, members: [{ memberId: 'x' }] },
        ),
      ]),
      step('leave with nobody', LeaveGroup, 5, { groupId: g, members: [] }),
      step('a first member', JoinGroup, 3, joining(g, ''), {
        save: ({ memberId, generationId }) => ({ one: memberId, generation: generationId }),
      }),
      step('with another protocol type', JoinGroup, 3, joining(g, '', { protocolType: 'connect' })),
      step(
        'with another protocol',
        JoinGroup,
        3,
        joining(g, '', { protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] }),
      ),
      step('sync with the wrong protocol', SyncGroup, 5, (saved) => ({
        groupId: g,
        generationId: saved.number('generation'),
        memberId: saved.text('one'),
        protocolType: 'consumer',
        protocolName: 'sticky',
        assignments: [],
      })),
      step('sync with the wrong type', SyncGroup, 5, (saved) => ({
        groupId: g,
        generationId: saved.number('generation'),
        memberId: saved.text('one'),
        protocolType: 'connect',
        protocolName: 'range',
        assignments: [],
      })),
      step('sync of another generation', SyncGroup, 3, (saved) => ({
        groupId: g,
        generationId: 77,
        memberId: saved.text('one'),
        assignments: [],
      })),
      step('sync without assignments', SyncGroup, 3, (saved) => ({
        groupId: g,
        generationId: saved.number('generation'),
        memberId: saved.text('one'),
        assignments: [],
      })),
      step('a consumer protocol member among them', ConsumerGroupHeartbeat, 0, {
        groupId: g,
        memberId: 'kip848-member',
        memberEpoch: 0,
        rebalanceTimeoutMs: 5000,
        subscribedTopicNames: ['t'],
        topicPartitions: [],
      }),
    ]
  },
}

const classicTwo: Scenario = {
  name: 'classic-two',
  steps: (name) => {
    const g = name('g')
    const both = [
      { name: 'range', metadata: subscription('t') },
      { name: 'roundrobin', metadata: subscription('t') },
    ]
    return [
      ...groupCoordinator(g),
      step('one', JoinGroup, 3, joining(g, '', { protocols: both }), {
        on: 'one',
        save: ({ memberId }) => ({ one: memberId }),
      }),
      step(
        'one syncs',
        SyncGroup,
        3,
        (saved) => ({
          groupId: g,
          generationId: 1,
          memberId: saved.text('one'),
          assignments: [{ memberId: saved.text('one'), assignment: Buffer.from('all') }],
        }),
        { on: 'one' },
      ),
      step('two', JoinGroup, 3, joining(g, '', { protocols: both.slice(1) }), {
        on: 'two',
        later: true,
        save: ({ memberId }) => ({ two: memberId }),
      }),
      step(
        'one hears of it',
        Heartbeat,
        3,
        (saved) => ({ groupId: g, generationId: 1, memberId: saved.text('one') }),
        { on: 'one', until: ({ errorCode }) => errorCode !== 0 },
      ),
      step(
        'commit while rebalancing',
        OffsetCommit,
        7,
        (saved) => ({
          groupId: g,
          generationIdOrMemberEpoch: 1,
          memberId: saved.text('one'),
          topics: [],
        }),
        { on: 'one' },
      ),
      step(
        'described while rebalancing',
        DescribeGroups,
        5,
        { groups: [g] },
        {
          on: 'three',
          only: ({ groups }) => {
            for (const one of groups) one.members = []
          },
        },
      ),
      step('one rejoins', JoinGroup, 3, (saved) => joining(g, saved.text('one'), { protocols: both }), {
        on: 'one',
      }),
      collect('two', JoinGroup, 3),
      step(
        'two syncs',
        SyncGroup,
        3,
        (saved) => ({
          groupId: g,
          generationId: 2,
          memberId: saved.text('two'),
          assignments: [],
        }),
        { on: 'two', later: true },
      ),
      step(
        'one assigns',
        SyncGroup,
        3,
        (saved) => ({
          groupId: g,
          generationId: 2,
          memberId: saved.text('one'),
          assignments: [{ memberId: saved.text('two'), assignment: Buffer.from('half') }],
        }),
        { on: 'one' },
      ),
      collect('two syncs', SyncGroup, 3),
      step('described when stable', DescribeGroups, 5, { groups: [g], includeAuthorizedOperations: true }),
      step(
        'listed',
        ListGroups,
        5,
        {},
        {
          only: (answer, runId) => {
            answer.groups = answer.groups.filter((one) => one.groupId.startsWith(`${runId}-classic-two`))
          },
        },
      ),
      step(
        'one leaves',
        LeaveGroup,
        3,
        (saved) => ({ groupId: g, members: [{ memberId: saved.text('one') }] }),
        { on: 'one' },
      ),
      step(
        'two hears of it',
        Heartbeat,
        3,
        (saved) => ({ groupId: g, generationId: 2, memberId: saved.text('two') }),
        { on: 'two' },
      ),
      step(
        'two rejoins',
        JoinGroup,
        3,
        (saved) => joining(g, saved.text('two'), { protocols: both.slice(1) }),
        { on: 'two' },
      ),
    ]
  },
}

const staticMembers: Scenario = {
  name: 'classic-static',
  steps: (name) => {
    const g = name('g')
    return [
      ...groupCoordinator(g),
      step('join', JoinGroup, 5, joining(g, '', { groupInstanceId: 'i1' }), {
        save: ({ memberId }) => ({ first: memberId }),
      }),
      step('sync', SyncGroup, 3, (saved) => ({
        groupId: g,
        generationId: 1,
        memberId: saved.text('first'),
        groupInstanceId: 'i1',
        assignments: [{ memberId: saved.text('first'), assignment: Buffer.from('all') }],
      })),
      step('come back', JoinGroup, 9, joining(g, '', { groupInstanceId: 'i1' }), {
        save: ({ memberId }) => ({ second: memberId }),
      }),
      step('the old one is fenced', Heartbeat, 3, (saved) => ({
        groupId: g,
        generationId: 1,
        memberId: saved.text('first'),
        groupInstanceId: 'i1',
      })),
      step('the old one joins', JoinGroup, 5, (saved) =>
        joining(g, saved.text('first'), { groupInstanceId: 'i1' }),
      ),
      step('the new one beats', Heartbeat, 3, (saved) => ({
        groupId: g,
        generationId: 1,
        memberId: saved.text('second'),
        groupInstanceId: 'i1',
      })),
      step('the new one syncs', SyncGroup, 5, (saved) => ({
        groupId: g,
        generationId: 1,
        memberId: saved.text('second'),
        groupInstanceId: 'i1',
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [],
      })),
      step('an unknown instance beats', Heartbeat, 3, (saved) => ({
        groupId: g,
        generationId: 1,
        memberId: saved.text('second'),
        groupInstanceId: 'i9',
      })),
      step('described', DescribeGroups, 5, { groups: [g] }),
      step('removed by an admin', LeaveGroup, 4, {
        groupId: g,
        members: [
          { memberId: '', groupInstanceId: 'i1' },
          { memberId: '', groupInstanceId: 'i9' },
        ],
      }),
    ]
  },
}

const offsets: Scenario = {
  name: 'group-offsets',
  steps: (name) => {
    const g = name('g')
    const commit = (
      title: string,
      version: number,
      group: string,
      partitionIndex: number,
      committedOffset: number,
      more: { generation?: number; member?: string; metadata?: string | null; topicName?: string } = {},
    ): Step =>
      step(title, OffsetCommit, version, (saved) => ({
        groupId: group,
        generationIdOrMemberEpoch: more.generation ?? -1,
        memberId: more.member ?? '',
        topics: [
          {
            name: more.topicName ?? name('a'),
            topicId: saved.text('id'),
            partitions: [
              {
                partitionIndex,
                committedOffset,
                committedMetadata: more.metadata === undefined ? 'data' : more.metadata,
              },
            ],
          },
        ],
      }))
    return [
      ...topic(name('a'), { partitions: 2 }),
      ...groupCoordinator(g),
      ...each([2, 5, 8, 9, 10], (version) => [
        commit('commit', version, g, 0, 10 + version),
        commit('to no partition', version, g, 9, 1),
        commit('as a stranger', version, g, 0, 1, { generation: 3, member: 'stranger' }),
        commit('too much metadata', version, g, 0, 1, { metadata: 'x'.repeat(5000) }),
      ]),
      commit('to no topic', 8, g, 0, 1, { topicName: name('none') }),
      commit('no metadata', 8, g, 1, 1, { metadata: null }),
      commit('a negative offset', 8, g, 1, -5),
      commit('to the empty group', 8, '', 0, 4),
      step('by an unknown id', OffsetCommit, 10, {
        groupId: g,
        memberId: '',
        topics: [
          {
            topicId: 'AAAAAAAAAAAAAAAAAAAAEQ',
            partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }],
          },
        ],
      }),
      step('with a leader epoch', OffsetCommit, 8, {
        groupId: g,
        memberId: '',
        topics: [
          {
            name: name('a'),
            partitions: [
              { partitionIndex: 1, committedOffset: 3, committedLeaderEpoch: 7, committedMetadata: '' },
            ],
          },
        ],
      }),
      ...each([1, 2, 5, 7], (version) => [
        step('fetch', OffsetFetch, version, {
          groupId: g,
          topics: [{ name: name('a'), partitionIndexes: [0, 1, 5] }],
        }),
        step('fetch of no topic', OffsetFetch, version, {
          groupId: g,
          topics: [{ name: name('none'), partitionIndexes: [0] }],
        }),
        step('fetch in no group', OffsetFetch, version, {
          groupId: name('nobody'),
          topics: [{ name: name('a'), partitionIndexes: [0] }],
        }),
        ...(version > 1 ? [step('fetch all', OffsetFetch, version, { groupId: g, topics: null })] : []),
      ]),
      ...each([8, 9, 10], (version) => [
        step('fetch of groups', OffsetFetch, version, (saved) => ({
          groups: [
            {
              groupId: g,
              topics: [{ name: name('a'), topicId: saved.text('id'), partitionIndexes: [0, 1, 5] }],
            },
            { groupId: name('nobody'), topics: null },
            { groupId: g, topics: null },
          ],
          requireStable: true,
        })),
        step('fetch of nobody', OffsetFetch, version, { groups: [] }),
      ]),
      step('fetch by an unknown id', OffsetFetch, 10, {
        groups: [{ groupId: g, topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAEQ', partitionIndexes: [0] }] }],
      }),
      step('fetch as a stranger', OffsetFetch, 9, {
        groups: [{ groupId: g, memberId: 'stranger', memberEpoch: 4, topics: null }],
      }),
      step('delete', OffsetDelete, 0, {
        groupId: g,
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0 }, { partitionIndex: 8 }] }],
      }),
      step('delete of no topic', OffsetDelete, 0, {
        groupId: g,
        topics: [{ name: name('none'), partitions: [{ partitionIndex: 0 }] }],
      }),
      step('delete in no group', OffsetDelete, 0, {
        groupId: name('nobody'),
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0 }] }],
      }),
      step('after the deletion', OffsetFetch, 7, { groupId: g, topics: null }),
      step('describe', DescribeGroups, 6, { groups: [g, name('nobody'), ''] }),
      step('describe in version 5', DescribeGroups, 5, { groups: [g, name('nobody')] }),
      ...each([0, 2, 3, 4, 5], (version) =>
        step(
          'list',
          ListGroups,
          version,
          {},
          {
            only: (answer, runId) => {
              answer.groups = answer.groups.filter((one) => one.groupId.startsWith(`${runId}-group-offsets`))
            },
          },
        ),
      ),
      step(
        'list by state',
        ListGroups,
        5,
        { statesFilter: ['Stable'], typesFilter: ['classic'] },
        {
          only: (answer, runId) => {
            answer.groups = answer.groups.filter((one) => one.groupId.startsWith(`${runId}-group-offsets`))
          },
        },
      ),
      step('list by an unknown state', ListGroups, 5, { statesFilter: ['Sleeping'] }),
      step('list by an unknown type', ListGroups, 5, { typesFilter: ['other'] }),
      step(
        'list empty ones in lower case',
        ListGroups,
        5,
        { statesFilter: ['empty'] },
        {
          only: (answer, runId) => {
            answer.groups = answer.groups.filter((one) => one.groupId.startsWith(`${runId}-group-offsets`))
          },
        },
      ),
      ...each([0, 1, 2, 3], (version) => [
        step('delete the group', DeleteGroups, version, {
          groupsNames: [version === 0 ? g : name('nobody')],
        }),
        step('delete none', DeleteGroups, version, { groupsNames: [] }),
      ]),
      step('delete the empty group', DeleteGroups, 2, { groupsNames: ['', ''] }),
    ]
  },
}

const consumerGroup: Scenario = {
  name: 'consumer-group',
  steps: (name) => {
    const g = name('g')
    type Beat = RequestInputOf<typeof ConsumerGroupHeartbeat>
    const beat = (
      title: string,
      version: number,
      memberId: string,
      memberEpoch: number,
      more: Partial<Beat> = {},
      group = g,
    ): Step =>
      step(
        title,
        ConsumerGroupHeartbeat,
        version,
        { groupId: group, memberId, memberEpoch, ...more },
        { save: (answer) => ({ [`epoch ${memberId}`]: answer.memberEpoch }) },
      )
    const start = { rebalanceTimeoutMs: 5000, subscribedTopicNames: [name('a')], topicPartitions: [] }
    return [
      ...topic(name('a'), { partitions: 4 }),
      ...groupCoordinator(g),
      beat('no member id in version 0', 0, '', 0, start, name('v0')),
      beat('no member id in version 1', 1, '', 0, start),
      beat('no group', 1, 'm1', 0, start, ''),
      beat('no timeout', 1, 'm1', 0, { ...start, rebalanceTimeoutMs: -1 }),
      beat('no subscription', 1, 'm1', 0, { rebalanceTimeoutMs: 5000, topicPartitions: [] }),
      beat('no partitions', 1, 'm1', 0, { rebalanceTimeoutMs: 5000, subscribedTopicNames: [name('a')] }),
      beat('owning at the start', 1, 'm1', 0, {
        ...start,
        topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAEQ', partitions: [0] }],
      }),
      beat('an unknown assignor', 1, 'm1', 0, { ...start, serverAssignor: 'best' }),
      beat('an empty instance', 1, 'm1', 0, { ...start, instanceId: '' }),
      beat('an empty rack', 1, 'm1', 0, { ...start, rackId: '' }),
      beat('a bad pattern', 1, 'm1', 0, {
        rebalanceTimeoutMs: 5000,
        subscribedTopicRegex: '[',
        topicPartitions: [],
      }),
      beat('an unknown group with an epoch', 1, 'm1', 5, {}, name('nobody')),
      beat('leave an unknown group', 1, 'm1', -1, {}, name('nobody')),
      beat('an epoch below all', 1, 'm1', -3),
      beat('join', 1, 'm1', 0, start),
      step('own it', ConsumerGroupHeartbeat, 1, (saved) => ({
        groupId: g,
        memberId: 'm1',
        memberEpoch: saved.number('epoch m1'),
        topicPartitions: [{ topicId: saved.text('id'), partitions: [0, 1, 2, 3] }],
      })),
      step('nothing new', ConsumerGroupHeartbeat, 0, (saved) => ({
        groupId: g,
        memberId: 'm1',
        memberEpoch: saved.number('epoch m1'),
      })),
      beat('an epoch to come', 1, 'm1', 50),
      beat('a stranger', 1, 'stranger', 1),
      beat('join again', 1, 'm1', 0, start),
      beat('two', 0, 'm2', 0, { ...start, serverAssignor: 'range' }),
      step(
        'one has to give',
        ConsumerGroupHeartbeat,
        1,
        (saved) => ({
          groupId: g,
          memberId: 'm1',
          memberEpoch: saved.number('epoch m1'),
          topicPartitions: [{ topicId: saved.text('id'), partitions: [0, 1, 2, 3] }],
        }),
        { save: (answer) => ({ 'epoch m1': answer.memberEpoch }) },
      ),
      ...each([0, 1], (version) =>
        step('described', ConsumerGroupDescribe, version, {
          groupIds: [g],
          includeAuthorizedOperations: false,
        }),
      ),
      step('described with operations', ConsumerGroupDescribe, 1, {
        groupIds: [g, name('nobody'), ''],
        includeAuthorizedOperations: true,
      }),
      step('described as classic', DescribeGroups, 6, { groups: [g] }),
      step('a classic join', JoinGroup, 9, joining(g, '')),
      step('one gives', ConsumerGroupHeartbeat, 1, (saved) => ({
        groupId: g,
        memberId: 'm1',
        memberEpoch: saved.number('epoch m1'),
        topicPartitions: [{ topicId: saved.text('id'), partitions: [0, 1] }],
      })),
      step('two asks', ConsumerGroupHeartbeat, 1, (saved) => ({
        groupId: g,
        memberId: 'm2',
        memberEpoch: saved.number('epoch m2'),
        topicPartitions: [],
      })),
      step('commit', OffsetCommit, 9, {
        groupId: g,
        memberId: 'm2',
        generationIdOrMemberEpoch: 99,
        topics: [
          {
            name: name('a'),
            partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }],
          },
        ],
      }),
      step('commit by a stranger', OffsetCommit, 9, {
        groupId: g,
        memberId: 'stranger',
        generationIdOrMemberEpoch: 1,
        topics: [
          {
            name: name('a'),
            partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }],
          },
        ],
      }),
      step('commit by nobody', OffsetCommit, 9, {
        groupId: g,
        memberId: '',
        generationIdOrMemberEpoch: -1,
        topics: [
          {
            name: name('a'),
            partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }],
          },
        ],
      }),
      step('commit in an old version', OffsetCommit, 7, {
        groupId: g,
        memberId: 'm2',
        generationIdOrMemberEpoch: 99,
        topics: [
          {
            name: name('a'),
            partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }],
          },
        ],
      }),
      step('fetch with a wrong epoch', OffsetFetch, 9, {
        groups: [{ groupId: g, memberId: 'm2', memberEpoch: 99, topics: null }],
      }),
      step('fetch without a member', OffsetFetch, 9, { groups: [{ groupId: g, topics: null }] }),
      step('offsets deleted while subscribed', OffsetDelete, 0, {
        groupId: g,
        topics: [{ name: name('a'), partitions: [{ partitionIndex: 0 }] }],
      }),
      step('delete it while alive', DeleteGroups, 2, { groupsNames: [g] }),
      beat('static', 1, 's1', 0, { ...start, instanceId: 'i1' }, name('s')),
      beat('static, once more', 1, 's2', 0, { ...start, instanceId: 'i1' }, name('s')),
      beat('static leaves for a while', 1, 's1', -2, { instanceId: 'i1' }, name('s')),
      beat('static comes back', 1, 's3', 0, { ...start, instanceId: 'i1' }, name('s')),
      beat('the static one before', 1, 's1', 1, { instanceId: 'i1' }, name('s')),
      beat('static leaves', 1, 's3', -1, { instanceId: 'i1' }, name('s')),
      beat('one leaves', 1, 'm1', -1),
      beat('two leaves', 1, 'm2', -1),
      beat('two leaves again', 1, 'm2', -1),
      step('described when empty', ConsumerGroupDescribe, 1, {
        groupIds: [g],
        includeAuthorizedOperations: false,
      }),
      step(
        'listed',
        ListGroups,
        5,
        { typesFilter: ['consumer'] },
        {
          only: (answer, runId) => {
            answer.groups = answer.groups.filter((one) => one.groupId.startsWith(`${runId}-consumer-group`))
          },
        },
      ),
      step('deleted', DeleteGroups, 2, { groupsNames: [g] }),
      step('described when gone', ConsumerGroupDescribe, 1, {
        groupIds: [g],
        includeAuthorizedOperations: false,
      }),
    ]
  },
}

export const groupScenarios: readonly Scenario[] = [
  classicLife,
  classicErrors,
  classicTwo,
  staticMembers,
  offsets,
  consumerGroup,
]
