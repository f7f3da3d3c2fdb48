/** `npm run docs`: writes the generated parts of the documentation. */
import { writePage } from './deviations-page.ts'

writePage()
