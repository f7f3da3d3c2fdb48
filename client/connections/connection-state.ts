/** How far a connection is; DOWN is the end. */
export type ConnectionState = 'CONNECT' | 'APIVERSION_QUERY' | 'AUTH_HANDSHAKE' | 'UP' | 'DOWN'
