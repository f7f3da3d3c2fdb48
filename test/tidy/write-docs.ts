/** `npm run docs`: writes the generated parts of the documentation. */
import { writeClientApiPage } from './client-api-page.ts'
import { writePage } from './deviations-page.ts'

writePage()
writeClientApiPage()
