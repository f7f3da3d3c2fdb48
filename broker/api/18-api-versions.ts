/**
 * Behaviour: lists the APIs and versions of the listener that was asked, the features this build supports and those that are
 *   finalized. A request in a version that is not known here is answered in version 0 with UNSUPPORTED_VERSION and the range of
 *   ApiVersions itself, so that the client can ask again (KIP-511).
 * Versions: v3 takes the client's software name and version; v4 may tell feature ranges that start at 0; v5 takes the cluster and
 *   node the client expects (KIP-1242).
 * Errors: INVALID_REQUEST for malformed software names, or a cluster without a node and the other way round; REBOOTSTRAP_REQUIRED when cluster or node are not the expected ones.
 * Deviations: none.
 */

import { ApiVersions } from '../../common/protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../common/protocol/errors.ts'
import { SUPPORTED_FEATURES } from '../metadata/features.ts'
import { defineHandler } from './handler.ts'

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export const apiVersions = defineHandler(ApiVersions, {
  versions: '0-5',
  runsOn: 'any',
  handle: (context, request) => {
    const { broker, connection, apiVersion } = context
    if (apiVersion >= 3) {
      if (
        !SOFTWARE_NAME.test(request.clientSoftwareName) ||
        !SOFTWARE_NAME.test(request.clientSoftwareVersion)
      ) {
        return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
      }
      connection.clientSoftwareName = request.clientSoftwareName
      connection.clientSoftwareVersion = request.clientSoftwareVersion
    }
    if ((request.clusterId === null) !== (request.nodeId === -1)) {
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
    }
    if (
      (request.clusterId !== null && request.clusterId !== broker.clusterId) ||
      (request.nodeId !== -1 && request.nodeId !== broker.nodeId)
    ) {
      return { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
    }
    const supportedFeatures = [...SUPPORTED_FEATURES]
      // A client before v4 cannot read a range that starts at 0 (KAFKA-17011).
      .filter(([, range]) => apiVersion >= 4 || range.min > 0)
      .map(([name, range]) => ({ name, minVersion: range.min, maxVersion: range.max }))
    return {
      errorCode: ErrorCode.NONE,
      apiKeys: broker.apisOf(connection.listener.kind).map(({ key, lowest, highest }) => ({
        apiKey: key,
        minVersion: lowest,
        maxVersion: highest,
      })),
      supportedFeatures,
      finalizedFeaturesEpoch: broker.metadata.offset,
      finalizedFeatures: [...broker.metadata.features]
        .filter(([, level]) => level > 0)
        .map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    }
  },
  refuse: (_request, error) => ({
    errorCode: error,
    apiKeys: error === ErrorCode.UNSUPPORTED_VERSION ? [{ apiKey: 18, minVersion: 0, maxVersion: 5 }] : [],
  }),
})
